-- One row for each call of a tool, also the refused ones (AIInteraction). Partitioned by month, so that old months are
-- dropped, not deleted; souk.interactions_prepare() makes the coming months, the default partition takes
-- what no month takes. The caller's address is not kept.

CREATE TABLE souk.interactions (
	id uuid NOT NULL,                                -- made by the program, so that a record folded in twice is one row
	created_at timestamptz NOT NULL,
	customer_id bigint,
	latency_ms real,
	tokens_used integer NOT NULL DEFAULT 0,          -- of the language model
	success boolean NOT NULL,
	type text NOT NULL CHECK (type IN ('CHAT', 'SEARCH', 'RECOMMENDATION', 'CONTENT_GENERATION', 'ANALYTICS')),
	user_id text,                                    -- of a widget or messenger
	session_id text,
	tool text,
	transport text,                                  -- mcp, rest, stdio, ws, chat, cron, cli
	token_id text,
	error_code text,
	error_message text,
	tools_used text[] NOT NULL DEFAULT '{}',
	input text CHECK (length(input) <= 10000),
	output text CHECK (length(output) <= 10000),
	metadata jsonb NOT NULL DEFAULT '{}',
	PRIMARY KEY (created_at, id)
) PARTITION BY RANGE (created_at);
CREATE INDEX interactions_type ON souk.interactions (type, created_at);
CREATE INDEX interactions_customer ON souk.interactions (customer_id, created_at) WHERE customer_id IS NOT NULL;
CREATE INDEX interactions_session ON souk.interactions (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE souk.interactions_default PARTITION OF souk.interactions DEFAULT;

-- Row-level security is set on the partitions too, without a policy: they are reachable through the parent only.
ALTER TABLE souk.interactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE souk.interactions FORCE ROW LEVEL SECURITY;
ALTER TABLE souk.interactions_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE souk.interactions_default FORCE ROW LEVEL SECURITY;
