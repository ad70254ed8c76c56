WITH found AS (
	SELECT c.slug AS value
	FROM shop.categories c
	WHERE starts_with(c.slug, souk.slug($1::jsonb->>'value'))
	LIMIT 10000
), best AS (
	SELECT value FROM found ORDER BY value LIMIT 100
)
SELECT json_build_object(
	'values', (SELECT coalesce(json_agg(value ORDER BY value), '[]') FROM best),
	'total', (SELECT count(*) FROM found),
	'hasMore', (SELECT count(*) > 100 FROM found))
