-- Take the row that has waited longest, for $1 seconds; $2 'webhooks', 'messages' (all others) or ''; $3 seconds over which messages to one recipient
-- are counted. Whoever is killed while sending leaves a row that is due again when the lease has ended. ->
-- id, attempt, channel, template, recipient, locale, key, data, age in seconds, is it expired, does the recipient want none, how many
-- were sent to the recipient in that time, seconds until the oldest of them no longer counts, may the provider have it already.
WITH taken AS (
	UPDATE souk.outbox SET status = 'sending', attempts = attempts + 1, lease_until = now() + make_interval(secs => $1::integer),
		next_at = now() + make_interval(secs => $1::integer), unsure = unsure OR status = 'sending'
	WHERE id = (SELECT id FROM souk.outbox WHERE status IN ('waiting', 'sending') AND next_at <= now()
			AND ($2 = '' OR (channel = 'webhook') = ($2 = 'webhooks'))
		ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING *
)
SELECT t.id, t.attempts, t.channel, t.template, t.recipient, t.locale, t.key, t.data, extract(epoch FROM now() - t.created_at)::bigint, t.expires_at < now(),
	t.template <> 'one_time_code' AND EXISTS (SELECT FROM souk.opt_outs o WHERE o.channel = t.channel AND o.recipient = t.recipient),
	r.n, r.wait_s, t.unsure
FROM taken t LEFT JOIN LATERAL (
	SELECT count(*) AS n, greatest(1, ceil(extract(epoch FROM min(x.done_at) + make_interval(secs => $3::integer) - now())))::integer AS wait_s
	FROM souk.outbox x WHERE x.channel = t.channel AND x.recipient = t.recipient AND x.status = 'sent'
		AND x.created_at > now() - make_interval(secs => $3::integer) - interval '1 day' AND x.done_at > now() - make_interval(secs => $3::integer)) r ON true
