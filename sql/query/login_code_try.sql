-- One try at a code: is it right, and whose was it? No row when there is no such code, or not any more. $1 id, $2 purpose, $3 hash in hexadecimal.
-- -> right, customer, order, its number, visitor and number of a ticket whose address is proven with it.
WITH tried AS (
	UPDATE souk.login_codes
	SET tries = tries + 1,
		used_at = CASE WHEN hash = decode($3, 'hex') AND coalesce(customer_id, order_id, ticket_id) IS NOT NULL THEN now() END
	WHERE id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now() AND tries < 5
	RETURNING used_at IS NOT NULL AS good, customer_id, order_id, ticket_id
)
SELECT t.good, t.customer_id, t.order_id, (SELECT o.number FROM shop.orders o WHERE o.id = t.order_id),
	CASE WHEN t.good AND t.ticket_id IS NOT NULL THEN shop.contact_proven(t.ticket_id) END,
	(SELECT k.number FROM shop.tickets k WHERE k.id = t.ticket_id)
FROM tried t
