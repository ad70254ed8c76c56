-- Count a hit in a fixed window. $1 key, $2 limit, $3 window in seconds -> hits (capped at limit + 1), seconds until the window ends.
-- The row's lock makes it exact; it starts with the key's first hit.
INSERT INTO souk.rate_counters AS r (key, hits, reset_at)
VALUES ($1, 1, clock_timestamp() + make_interval(secs => $3::bigint))
ON CONFLICT (key) DO UPDATE SET
	hits = CASE WHEN r.reset_at <= clock_timestamp() THEN 1 ELSE least(r.hits::bigint + 1, $2::bigint + 1)::integer END,
	reset_at = CASE WHEN r.reset_at <= clock_timestamp() THEN EXCLUDED.reset_at ELSE r.reset_at END
RETURNING hits, greatest(1, ceil(extract(epoch FROM reset_at - clock_timestamp())))::bigint
