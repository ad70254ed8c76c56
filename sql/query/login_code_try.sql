-- One try at a code: is it right, and whose was it? No row when there is no such code, or not any more. $1 id, $2 purpose, $3 hash in hexadecimal.
WITH tried AS (
	UPDATE souk.login_codes
	SET tries = tries + 1,
		used_at = CASE WHEN hash = decode($3, 'hex') AND coalesce(customer_id, order_id) IS NOT NULL THEN now() END
	WHERE id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now() AND tries < 5
	RETURNING used_at IS NOT NULL AS good, customer_id, order_id
)
SELECT t.good, t.customer_id, t.order_id, (SELECT o.number FROM shop.orders o WHERE o.id = t.order_id) FROM tried t
