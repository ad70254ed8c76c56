-- $1 key -> value (hex); no row when absent or expired.
SELECT encode(value, 'hex') FROM souk.kv WHERE key = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp())
