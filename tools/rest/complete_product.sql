WITH found AS (
	SELECT p.slug AS value, p.sold_count AS place
	FROM shop.products p
	WHERE p.status = 'active' AND starts_with(p.slug, souk.slug($1::jsonb->>'value'))
	LIMIT 10000
), best AS (
	SELECT value, place FROM found ORDER BY place DESC, value LIMIT 100
)
SELECT json_build_object(
	'values', (SELECT coalesce(json_agg(value ORDER BY place DESC, value), '[]') FROM best),
	'total', (SELECT count(*) FROM found),
	'hasMore', (SELECT count(*) > 100 FROM found))
