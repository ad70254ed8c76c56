-- $1 status or '' for everything that is not sent, $2 channel or '', $3 how many -> the newest rows; addresses are masked.
SELECT id, channel, coalesce(template, data->>'event') AS "what", CASE WHEN recipient LIKE '%@%' THEN left(recipient, 1) || '***@' || split_part(recipient, '@', 2)
		WHEN recipient IS NOT NULL THEN '***' || right(recipient, 2) WHEN channel = 'webhook' THEN 'endpoint ' || (data->>'endpoint') ELSE 'the shop' END AS "to",
	status, attempts, souk.rfc3339(CASE WHEN status IN ('waiting', 'sending') THEN next_at ELSE done_at END) AS "at", coalesce(reason, provider_id || CASE WHEN delivered_at IS NOT NULL THEN ', delivered ' || souk.rfc3339(delivered_at) ELSE '' END, '') AS "note"
FROM souk.outbox WHERE ($1 = '' AND status <> 'sent' OR status = $1) AND ($2 = '' OR channel = $2) ORDER BY id DESC LIMIT $3::integer
