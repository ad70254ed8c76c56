-- Queue event $1 again for endpoint $2, or '' for all that it was queued for and are in use -> endpoints.
SELECT e.id, souk.webhook_queue(e.id, $1, ':' || gen_random_uuid())
FROM souk.webhook_endpoints e WHERE e.disabled_at IS NULL AND EXISTS (SELECT FROM souk.webhook_events v WHERE v.id = $1)
	AND CASE WHEN $2 = '' THEN EXISTS (SELECT FROM souk.outbox o WHERE o.dedupe = 'webhook:' || $1 || ':' || e.id) ELSE e.id::text = $2 END
