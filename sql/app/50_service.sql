-- Interactions and housekeeping.

-- Make the monthly partitions from this month to some months ahead. Returns how many were made. Rows of that month
-- that already are in the default partition stay where they are: the month's own partition is then not made.
CREATE OR REPLACE FUNCTION souk.interactions_prepare(months integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
	start date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
	part text;
	made integer := 0;
BEGIN
	FOR i IN 0..months LOOP
		part := format('interactions_%s', to_char(start + make_interval(months => i), 'YYYY_MM'));
		CONTINUE WHEN to_regclass('souk.' || part) IS NOT NULL;
		BEGIN
			EXECUTE format('CREATE TABLE souk.%I PARTITION OF souk.interactions FOR VALUES FROM (%L) TO (%L)', part,
				to_char(start + make_interval(months => i), 'YYYY-MM-DD') || ' 00:00:00+00',
				to_char(start + make_interval(months => i + 1), 'YYYY-MM-DD') || ' 00:00:00+00');
			EXECUTE format('ALTER TABLE souk.%I ENABLE ROW LEVEL SECURITY', part);
			EXECUTE format('ALTER TABLE souk.%I FORCE ROW LEVEL SECURITY', part);
			made := made + 1;
		EXCEPTION WHEN check_violation THEN
			NULL;
		END;
	END LOOP;
	RETURN made;
END
$$;

-- Drop the partitions of months that ended more than this many months ago.
CREATE OR REPLACE FUNCTION souk.interactions_drop(keep_months integer) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
	part text;
	limit_name text := 'interactions_'
		|| to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => keep_months), 'YYYY_MM');
	dropped integer := 0;
BEGIN
	FOR part IN
		SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		 WHERE i.inhparent = 'souk.interactions'::regclass AND c.relname ~ '^interactions_[0-9]{4}_[0-9]{2}$'
		   AND c.relname < limit_name
	LOOP
		EXECUTE format('DROP TABLE souk.%I', part);
		dropped := dropped + 1;
	END LOOP;
	DELETE FROM souk.search_clicks
	 WHERE created_at < (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => keep_months)) AT TIME ZONE 'UTC';
	RETURN dropped;
END
$$;

-- What cron does to the database: partitions ahead, expired rows away, idempotency keys after so many hours. Bounded, so that
-- it never holds up a shop; "more" says that a bound was reached and another call has work to do.
CREATE OR REPLACE FUNCTION souk.housekeep(keep_hours integer) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	kv bigint;
	rates bigint;
	keys bigint;
	parts integer;
BEGIN
	DELETE FROM souk.kv WHERE key IN (SELECT key FROM souk.kv WHERE expires_at < now() LIMIT 10000);
	GET DIAGNOSTICS kv = ROW_COUNT;
	DELETE FROM souk.rate_counters WHERE key IN (SELECT key FROM souk.rate_counters WHERE reset_at < now() LIMIT 10000);
	GET DIAGNOSTICS rates = ROW_COUNT;
	DELETE FROM souk.idempotency_keys WHERE (principal, key) IN (SELECT principal, key FROM souk.idempotency_keys
		WHERE created_at < now() - make_interval(hours => keep_hours) LIMIT 10000);
	GET DIAGNOSTICS keys = ROW_COUNT;
	DELETE FROM souk.uploads WHERE expires_at < now();
	parts := souk.interactions_prepare();
	RETURN json_build_object('kv', kv, 'rate_counters', rates, 'idempotency_keys', keys, 'partitions', parts,
		'oauth', souk.oauth_housekeep(), 'login', souk.login_housekeep(), 'outbox', souk.outbox_housekeep(),
		'more', greatest(kv, rates, keys) >= 10000);
END
$$;

SELECT souk.interactions_prepare();
