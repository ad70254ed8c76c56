-- $1 to $15: arrays of the same length, one element for each record: id, created_at, type, tool, latency_ms, success, transport, token_id,
-- customer_id, session_id, error_code, error_message, input (at most 10,000 characters), output (likewise), metadata. A record that is there already is
-- an error; then interactions_insert_new does it, more slowly. Needs no speaker.
INSERT INTO souk.interactions (id, created_at, type, tool, tools_used, latency_ms, success, transport, token_id, customer_id, session_id, error_code,
	error_message, input, output, metadata)
SELECT r.id, r.created_at, r.type, r.tool, ARRAY[r.tool], r.latency_ms, r.success, r.transport, r.token_id, r.customer_id, r.session_id, r.error_code,
	r.error_message, r.input, r.output, r.metadata
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::real[], $6::boolean[], $7::text[], $8::text[], $9::bigint[], $10::text[],
	$11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[]) AS r(id, created_at, type, tool, latency_ms, success, transport, token_id,
	customer_id, session_id, error_code, error_message, input, output, metadata)
