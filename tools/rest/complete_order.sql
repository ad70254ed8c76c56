-- Row-level security decides whose orders.
WITH found AS (
	SELECT o.number AS value, o.created_at AS place
	FROM shop.orders o
	WHERE starts_with(o.number, upper($1::jsonb->>'value'))
	LIMIT 10000
), best AS (
	SELECT value, place FROM found ORDER BY place DESC, value LIMIT 100
)
SELECT json_build_object(
	'values', (SELECT coalesce(json_agg(value ORDER BY place DESC, value), '[]') FROM best),
	'total', (SELECT count(*) FROM found),
	'hasMore', (SELECT count(*) > 100 FROM found))
