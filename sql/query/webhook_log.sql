-- $1 endpoint or '', $2 event or '', $3 how many -> attempts, the newest first.
SELECT souk.rfc3339(d.created_at) AS "at", d.endpoint_id AS "endpoint", v.event, d.event_id AS "event id", d.attempt, d.status, d.took_ms AS "ms", coalesce(d.error, 'delivered') AS "result"
FROM souk.webhook_deliveries d JOIN souk.webhook_events v ON v.id = d.event_id
WHERE ($1 = '' OR d.endpoint_id::text = $1) AND ($2 = '' OR d.event_id = $2) ORDER BY d.id DESC LIMIT $3::integer
