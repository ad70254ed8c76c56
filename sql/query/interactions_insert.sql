-- $1 JSON array of records {id (uuid), created_at (RFC 3339), success, latency_ms, and optionally type, tool, tools_used, input,
-- output, session_id, user_id, customer_id (number), token_id, transport, tokens_used, error_code, error_message, metadata}.
-- Needs no speaker. A record that is there already is left alone, so a batch may be repeated.
INSERT INTO souk.interactions (id, created_at, customer_id, latency_ms, tokens_used, success, type, user_id, session_id, tool,
	transport, token_id, error_code, error_message, tools_used, input, output, metadata)
SELECT r.id, coalesce(r.created_at, now()), r.customer_id, r.latency_ms, coalesce(r.tokens_used, 0), coalesce(r.success, false),
	coalesce(r.type, souk.interaction_type(r.tool)), r.user_id, r.session_id, r.tool, r.transport, r.token_id, r.error_code,
	left(r.error_message, 1000), coalesce(r.tools_used, CASE WHEN r.tool IS NULL THEN '{}'::text[] ELSE ARRAY[r.tool] END),
	left(r.input, 10000), left(r.output, 10000), coalesce(r.metadata, '{}')
FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, created_at timestamptz, customer_id bigint, latency_ms real, tokens_used integer,
	success boolean, type text, user_id text, session_id text, tool text, transport text, token_id text, error_code text,
	error_message text, tools_used text[], input text, output text, metadata jsonb)
ON CONFLICT DO NOTHING
