-- What has to happen outside the database: messages, webhooks and other calls to providers. The transaction that decides inserts a row
-- here, so both happen or neither; `souk deliver` takes the rows and makes the calls.

CREATE TABLE souk.outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	created_at timestamptz NOT NULL DEFAULT now(),
	next_at timestamptz NOT NULL DEFAULT now(),      -- not before
	lease_until timestamptz,                         -- while sending: later the row may be taken again
	done_at timestamptz,                             -- sent, parked, suppressed or dropped
	expires_at timestamptz,                          -- not after: a one-time code
	customer_id bigint REFERENCES shop.customers ON DELETE SET NULL,
	attempts integer NOT NULL DEFAULT 0,             -- also the fence: who finishes names the attempt that it made
	key uuid NOT NULL DEFAULT gen_random_uuid(),     -- the same at every attempt: Message-ID, Idempotency-Key
	channel text NOT NULL CHECK (channel ~ '^[a-z][a-z_]{1,19}$'), -- email, sms, whatsapp, webhook, or another program's
	status text NOT NULL DEFAULT 'waiting'
		CHECK (status IN ('waiting', 'sending', 'sent', 'parked', 'suppressed', 'dropped')),
	template text,                                   -- of messages
	recipient text CHECK (length(recipient) BETWEEN 1 AND 320), -- NULL: the shop itself, as configured
	locale text CHECK (length(locale) = 2),
	dedupe text CHECK (length(dedupe) BETWEEN 1 AND 255),
	provider_id text,                                -- what the provider calls it
	reason text,                                     -- why it was parked or failed last; nothing personal
	data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(data) = 'object')
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX outbox_dedupe ON souk.outbox (dedupe);
CREATE INDEX outbox_due ON souk.outbox (next_at, id) WHERE status IN ('waiting', 'sending');
CREATE INDEX outbox_parked ON souk.outbox (done_at) WHERE status = 'parked';
CREATE INDEX outbox_recipient ON souk.outbox (channel, recipient, created_at);
CREATE INDEX outbox_customer ON souk.outbox (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX outbox_done ON souk.outbox (done_at) WHERE done_at IS NOT NULL;

-- Who wants no messages on a channel. Addresses are kept as they are compared: lower case, numbers as +digits.
CREATE TABLE souk.opt_outs (
	channel text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
	recipient text NOT NULL CHECK (length(recipient) BETWEEN 1 AND 320),
	created_at timestamptz NOT NULL DEFAULT now(),
	source text NOT NULL DEFAULT 'owner',            -- owner, customer, or the provider that told
	PRIMARY KEY (channel, recipient)
);

-- Texts of the owner's that replace built-in ones.
CREATE TABLE souk.templates (
	name text NOT NULL CHECK (name ~ '^[a-z_]{2,40}$'),
	locale text NOT NULL CHECK (locale ~ '^[a-z]{2}$'),
	part text NOT NULL CHECK (part IN ('subject', 'text', 'html', 'sms')),
	body text NOT NULL CHECK (length(body) BETWEEN 1 AND 65536),
	updated_at timestamptz NOT NULL DEFAULT now(),
	updated_by text NOT NULL DEFAULT '',
	PRIMARY KEY (name, locale, part)
);

CREATE TABLE souk.webhook_endpoints (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	created_at timestamptz NOT NULL DEFAULT now(),
	failing_since timestamptz,                       -- NULL: the last attempt succeeded, or there was none
	disabled_at timestamptz,                         -- NULL: in use
	disabled_why text,
	previous_until timestamptz,                      -- until then the secret before the last rotation signs too
	salt bytea NOT NULL CHECK (length(salt) = 16),   -- the secret is derived from it and the installation's key
	previous_salt bytea CHECK (length(previous_salt) = 16),
	events text[] NOT NULL CHECK (cardinality(events) BETWEEN 1 AND 32), -- names, or '*' for all
	url text NOT NULL CHECK (length(url) BETWEEN 8 AND 2000),
	description text NOT NULL DEFAULT '' CHECK (length(description) <= 200)
);

-- What happened. The body is kept as it is signed and sent, so that it can be sent again.
CREATE TABLE souk.webhook_events (
	id text PRIMARY KEY CHECK (id ~ '^evt_[0-9a-f]{32}$'),
	created_at timestamptz NOT NULL DEFAULT now(),
	event text NOT NULL,
	subject text NOT NULL DEFAULT '',                -- of what: an order's number, a product's SKU
	body text NOT NULL
);
CREATE INDEX webhook_events_created ON souk.webhook_events (created_at);

-- One row for each attempt.
CREATE TABLE souk.webhook_deliveries (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	endpoint_id bigint NOT NULL REFERENCES souk.webhook_endpoints ON DELETE CASCADE,
	outbox_id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	attempt integer NOT NULL,
	took_ms integer NOT NULL,
	status integer NOT NULL DEFAULT 0,               -- HTTP status; 0: no answer
	event_id text NOT NULL REFERENCES souk.webhook_events ON DELETE CASCADE,
	error text                                       -- NULL: delivered
);
CREATE INDEX webhook_deliveries_endpoint ON souk.webhook_deliveries (endpoint_id, created_at DESC);
CREATE INDEX webhook_deliveries_event ON souk.webhook_deliveries (event_id);
CREATE INDEX webhook_deliveries_created ON souk.webhook_deliveries (created_at);

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['souk.outbox', 'souk.opt_outs', 'souk.webhook_events']
	LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;
