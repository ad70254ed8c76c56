WITH removed AS (
	DELETE FROM souk.kv WHERE key = 'test_write:' || ($1::jsonb->>'key') RETURNING convert_from(value, 'UTF8')::bigint AS value
)
SELECT json_build_object('key', $1::jsonb->>'key', 'removed', coalesce((SELECT value FROM removed), 0))
