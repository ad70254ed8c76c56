-- What came of an attempt: $1 id, $2 attempt, $3 new status, $4 reason or NULL, $5 the provider's id or NULL, $6 seconds to wait, $7 attempts to take back,
-- $8 may the provider have it all the same.
-- Only who made the attempt may say: a row whose lease ended belongs to somebody else. A code leaves the database with its message, and so do
-- attachments. -> its id.
UPDATE souk.outbox SET status = $3, reason = $4, provider_id = coalesce($5, provider_id), lease_until = NULL,
	next_at = now() + make_interval(secs => $6::integer), attempts = attempts - $7::integer, unsure = $8::boolean,
	done_at = CASE WHEN $3 <> 'waiting' THEN now() END,
	data = CASE WHEN $3 = 'waiting' THEN data WHEN template = 'one_time_code' THEN '{}' WHEN $3 = 'sent' THEN data - 'attachments' ELSE data END
WHERE id = $1::bigint AND attempts = $2::integer AND status = 'sending'
RETURNING id
