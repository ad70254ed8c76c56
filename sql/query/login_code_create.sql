-- A one-time code, for whoever the address, or the number of an order or of a stranger's ticket and its address, belong to: for nobody, when they belong to nobody. Returns a row when
-- it was sent. $1 id, $2 purpose (customer, guest), $3 hash in hexadecimal, $4 number of the order or ticket, or NULL, $5 e-mail address, $6 code,
-- $7 language or NULL.
WITH owner AS (
	SELECT c.id AS customer_id, NULL::bigint AS order_id, NULL::bigint AS ticket_id, c.email
	FROM shop.customers c
	WHERE $2 = 'customer' AND lower(c.email) = lower(btrim($5)) AND c.erased_at IS NULL
	UNION ALL
	(SELECT NULL, o.id, NULL, btrim($5)
	FROM shop.orders o LEFT JOIN shop.customers c ON c.id = o.customer_id AND c.erased_at IS NULL
	WHERE $2 = 'guest' AND o.number IN (btrim($4), upper(btrim($4))) AND lower(btrim($5)) IN (lower(o.email), lower(c.email))
	ORDER BY o.number = btrim($4) DESC LIMIT 1)
	UNION ALL
	SELECT NULL, NULL, t.id, t.email
	FROM shop.tickets t
	WHERE $2 = 'guest' AND t.number = upper(btrim($4)) AND lower(t.email) = lower(btrim($5)) AND t.visitor LIKE 'contact:%'
		AND NOT EXISTS (SELECT FROM shop.orders o WHERE o.number = t.number)
), made AS (
	INSERT INTO souk.login_codes (id, purpose, hash, expires_at, customer_id, order_id, ticket_id)
	SELECT $1::text, $2::text, decode($3, 'hex'), now() + interval '10 minutes', w.customer_id, w.order_id, w.ticket_id
	FROM (SELECT) one LEFT JOIN owner w ON true
	RETURNING customer_id, order_id, ticket_id
)
SELECT souk.notify('one_time_code', m.customer_id, w.email, $7::text, json_build_object('code', $6::text, 'minutes', 10)::jsonb, 'code:' || $1::text)
FROM made m JOIN owner w ON w.customer_id IS NOT DISTINCT FROM m.customer_id AND w.order_id IS NOT DISTINCT FROM m.order_id
	AND w.ticket_id IS NOT DISTINCT FROM m.ticket_id
