-- -> total, passed, failed, when it finished (RFC 3339) of the last recorded test run; no row when there is none.
SELECT total, passed, failed, souk.rfc3339(finished_at) FROM souk.test_runs
WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1
