-- $1 endpoint, $2 'on', 'off' or 'remove' -> id. What was parked for an endpoint that is enabled again waits again.
WITH e AS (UPDATE souk.webhook_endpoints SET disabled_at = CASE WHEN $2 = 'off' THEN coalesce(disabled_at, now()) END,
		disabled_why = CASE WHEN $2 = 'off' THEN coalesce(disabled_why, 'by its owner') END, failing_since = NULL
	WHERE id::text = $1 AND $2 <> 'remove' RETURNING id),
d AS (DELETE FROM souk.webhook_endpoints WHERE id::text = $1 AND $2 = 'remove' RETURNING id),
o AS (UPDATE souk.outbox SET status = 'waiting', next_at = now(), created_at = now(), done_at = NULL, attempts = 0
	WHERE channel = 'webhook' AND status = 'parked' AND data->>'endpoint' = $1 AND $2 = 'on')
SELECT id FROM e UNION ALL SELECT id FROM d
