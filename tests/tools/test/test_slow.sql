-- pg_sleep returns void, which is not null.
SELECT json_build_object('waitedMs', ($1::jsonb->>'ms')::int)
FROM pg_sleep(($1::jsonb->>'ms')::float8 / 1000)
