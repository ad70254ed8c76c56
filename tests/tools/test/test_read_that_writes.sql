WITH written AS (
	INSERT INTO souk.kv AS k (key, value, expires_at)
	VALUES ('test_read_that_writes:' || ($1::jsonb->>'key'), convert_to($1::jsonb->>'add', 'UTF8'), now() + interval '1 hour')
	ON CONFLICT (key) DO UPDATE
	SET value = convert_to((convert_from(k.value, 'UTF8')::bigint + convert_from(EXCLUDED.value, 'UTF8')::bigint)::text, 'UTF8')
	RETURNING convert_from(value, 'UTF8')::bigint AS value
)
SELECT CASE WHEN ($1::jsonb->>'fail')::bool THEN to_json(souk.fail('SK409', 'failed as asked'))
	ELSE json_build_object('key', $1::jsonb->>'key', 'value', value) END
FROM written
