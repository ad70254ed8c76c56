-- Queue a test event for endpoint $1 -> the event's id.
WITH v AS (SELECT e.id AS endpoint, souk.event_add('webhook.test', 'test', '{"test": true}') AS event FROM souk.webhook_endpoints e WHERE e.id::text = $1)
SELECT event, souk.webhook_queue(endpoint, event, '') FROM v
