-- $1 key, $2 value (hex), $3 seconds to live.
INSERT INTO souk.kv (key, value, expires_at)
VALUES ($1, decode($2, 'hex'), clock_timestamp() + make_interval(secs => $3::bigint))
ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at
RETURNING true
