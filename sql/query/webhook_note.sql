-- One attempt: $1 endpoint, $2 event, $3 outbox id, $4 attempt, $5 milliseconds, $6 HTTP status, $7 error or NULL, $8 'gone' for 410, 'last' when the
-- event is given up, else '', $9 hours without a success after which the endpoint is disabled -> 't' when this disabled it. Then the shop is told.
WITH logged AS (
	INSERT INTO souk.webhook_deliveries (endpoint_id, event_id, outbox_id, attempt, took_ms, status, error)
	VALUES ($1::bigint, $2, $3::bigint, $4::integer, $5::integer, $6::integer, $7::text)
), changed AS (
	UPDATE souk.webhook_endpoints e SET
		failing_since = CASE WHEN $7::text IS NOT NULL THEN coalesce(failing_since, now()) END,
		disabled_at = CASE WHEN $8 = 'gone' OR ($8 = 'last' AND failing_since <= now() - make_interval(hours => $9::integer)) THEN now() END,
		disabled_why = CASE WHEN $8 = 'gone' THEN 'the endpoint answered 410 Gone'
			WHEN $8 = 'last' AND failing_since <= now() - make_interval(hours => $9::integer) THEN 'nothing was taken for ' || $9 || ' hours' END
	WHERE id = $1::bigint AND disabled_at IS NULL AND (failing_since IS NOT NULL OR $7::text IS NOT NULL)
	RETURNING id, disabled_at, disabled_why
)
SELECT (SELECT true FROM changed WHERE disabled_at IS NOT NULL),
	(SELECT souk.notify('alert', NULL, NULL, NULL, jsonb_build_object('severity', 'warning', 'title', 'Webhook endpoint ' || id || ' is disabled',
		'message', 'Webhook endpoint ' || id || ' is disabled: ' || disabled_why), NULL) FROM changed WHERE disabled_at IS NOT NULL)
