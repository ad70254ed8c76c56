-- Record a finished test run. $1 execution id, $2 type, $3 total, $4 passed, $5 failed, $6 seconds it took.
INSERT INTO souk.test_runs (execution_id, test_type, status, total, passed, failed, started_at, finished_at)
VALUES ($1, $2, CASE WHEN $5::integer = 0 THEN 'completed' ELSE 'failed' END, $3::integer, $4::integer, $5::integer,
	now() - make_interval(secs => $6::double precision), now())
ON CONFLICT (execution_id) DO UPDATE SET status = EXCLUDED.status, total = EXCLUDED.total, passed = EXCLUDED.passed,
	failed = EXCLUDED.failed, finished_at = EXCLUDED.finished_at
RETURNING execution_id
