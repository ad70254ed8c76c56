-- As kv_set, but only when the key is absent or expired: one row when it was set, none otherwise.
INSERT INTO souk.kv AS k (key, value, expires_at)
VALUES ($1, decode($2, 'hex'), clock_timestamp() + make_interval(secs => $3::bigint))
ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at
	WHERE k.expires_at <= clock_timestamp()
RETURNING true
