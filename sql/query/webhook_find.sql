-- $1 endpoint, $2 event -> url, salt, salt before while it still signs, is it disabled, event's name, body.
SELECT e.url, encode(e.salt, 'hex'), CASE WHEN e.previous_until > now() THEN encode(e.previous_salt, 'hex') END, e.disabled_at IS NOT NULL, v.event, v.body
FROM souk.webhook_endpoints e, souk.webhook_events v WHERE e.id = $1::bigint AND v.id = $2
