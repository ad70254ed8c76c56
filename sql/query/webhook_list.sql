-- All endpoints with what waits for them.
SELECT e.id, e.url, array_to_string(e.events, ',') AS "events",
	CASE WHEN e.disabled_at IS NOT NULL THEN 'disabled: ' || coalesce(e.disabled_why, '') WHEN e.failing_since IS NOT NULL THEN 'failing since ' || souk.rfc3339(e.failing_since)
		ELSE 'ok' END AS "state",
	(SELECT count(*) FROM souk.outbox o WHERE o.channel = 'webhook' AND o.status IN ('waiting', 'sending') AND o.data->>'endpoint' = e.id::text) AS "waiting", e.description
FROM souk.webhook_endpoints e ORDER BY e.id
