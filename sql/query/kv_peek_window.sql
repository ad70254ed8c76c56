-- $1 key -> hits, seconds until the window ends; no row when no window is open.
SELECT hits, greatest(1, ceil(extract(epoch FROM reset_at - clock_timestamp())))::bigint
FROM souk.rate_counters WHERE key = $1 AND reset_at > clock_timestamp()
