-- souk's own state: who may call, what is configured, what must be remembered between requests.

CREATE TABLE souk.tokens (
	id text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z]{4,32}$'),
	name text NOT NULL,
	hash bytea NOT NULL,                             -- keyed hash of the secret; the secret itself is never stored
	scopes text[] NOT NULL DEFAULT '{}',             -- "area:verb", "area:*" or "*"
	kind text NOT NULL DEFAULT 'staff' CHECK (kind IN ('customer', 'staff', 'service', 'system')), -- its souk.kind
	customer_id bigint REFERENCES shop.customers ON DELETE CASCADE, -- whose token it is when kind is customer
	rate_class text,                                 -- replaces the route's class when set ("bulk")
	ip_allow cidr[],                                 -- NULL: from anywhere
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz,
	revoked_at timestamptz,
	rotated_from text REFERENCES souk.tokens ON DELETE SET NULL, -- the token that this one replaces
	last_used_at timestamptz,
	CHECK ((kind = 'customer') = (customer_id IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX tokens_customer ON souk.tokens (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE souk.settings (
	key text PRIMARY KEY CHECK (key <> '' AND length(key) <= 100),
	value jsonb NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now(),
	updated_by text
);

-- Programs keep both tables in memory and LISTEN on channel souk.
CREATE FUNCTION souk.notify_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_notify('souk', TG_TABLE_NAME);
	RETURN NULL;
END
$$;
-- last_used_at is left out: it changes all the time and concerns nobody.
CREATE TRIGGER tokens_notify
	AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF id, name, hash, scopes, kind, customer_id, rate_class, ip_allow,
		expires_at, revoked_at, rotated_from
	ON souk.tokens FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_change();
CREATE TRIGGER settings_notify
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
	ON souk.settings FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_change();

CREATE TABLE souk.alerts (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	acknowledged_at timestamptz,
	resolved_at timestamptz,
	seen_count integer NOT NULL DEFAULT 1,
	kind text NOT NULL,                              -- latency, availability, security, stock, ...
	severity text NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'critical')),
	message text NOT NULL,
	details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX alerts_created ON souk.alerts (created_at DESC);
CREATE UNIQUE INDEX alerts_open ON souk.alerts (kind, message) WHERE resolved_at IS NULL;

-- The key-value store for hosts without Redis. UNLOGGED: what is in it may be lost, like everything in Redis.
CREATE UNLOGGED TABLE souk.kv (
	key text PRIMARY KEY,
	value bytea NOT NULL,
	expires_at timestamptz                           -- NULL: never
) WITH (fillfactor = 70);
CREATE INDEX kv_expires ON souk.kv (expires_at) WHERE expires_at IS NOT NULL;

CREATE UNLOGGED TABLE souk.rate_counters (
	key text PRIMARY KEY,
	hits integer NOT NULL,
	reset_at timestamptz NOT NULL                    -- end of the window that hits counts
) WITH (fillfactor = 50);

CREATE TABLE souk.idempotency_keys (
	principal text NOT NULL,                         -- whose key: another caller's key is another key
	key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
	request_hash bytea NOT NULL,
	status integer,                                  -- with reply: written before the transaction ends, so a visible
	reply text,                                      -- row is always complete
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_created ON souk.idempotency_keys (created_at);

CREATE TABLE souk.test_runs (
	execution_id text PRIMARY KEY,                   -- test_...
	test_type text NOT NULL,
	status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed', 'aborted')),
	total integer NOT NULL DEFAULT 0,
	passed integer NOT NULL DEFAULT 0,
	failed integer NOT NULL DEFAULT 0,
	started_at timestamptz NOT NULL DEFAULT now(),
	finished_at timestamptz,
	options jsonb NOT NULL DEFAULT '{}',
	coverage jsonb,                                  -- {"lines": 85.2, "functions": ..., "branches": ...} when measured
	CHECK (passed >= 0 AND failed >= 0 AND total >= passed + failed)
);
CREATE INDEX test_runs_started ON souk.test_runs (started_at DESC);

-- Who changed what. Append-only: nobody holds UPDATE or DELETE, and a trigger refuses both to the owner.
CREATE TABLE souk.audit (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor text NOT NULL,
	action text NOT NULL,
	target text NOT NULL DEFAULT '',
	details jsonb NOT NULL DEFAULT '{}'
);
CREATE FUNCTION souk.refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON souk.audit
	FOR EACH STATEMENT EXECUTE FUNCTION souk.refuse_change();
