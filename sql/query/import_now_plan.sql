-- Compare orders $1 to $2 with the shop. Bits of has: date 1, status 2, customer 4, customer e-mail 5, guest's e-mail 7, discount 13,
-- shipping 14, tax 15, paid 16, shipped 17, delivered 18, cancelled 19, reason 20, charge code 21, channel 22, address 23.
INSERT INTO import_now (b, number, id, customer_id, action)
SELECT i.b, i.number, o.id, o.customer_id,
	CASE WHEN o.id IS NULL THEN 'c'
	WHEN (i.has & (1 << 1) <> 0 AND o.created_at IS DISTINCT FROM i.placed_at)
		OR (i.has & (1 << 2) <> 0 AND o.status IS DISTINCT FROM i.status)
		OR o.currency IS DISTINCT FROM i.currency
		OR (i.has & (1 << 4) <> 0 AND k.reference IS DISTINCT FROM i.customer AND i.customer IS NOT NULL)
		OR (i.has & (1 << 5) <> 0 AND lower(k.email) IS DISTINCT FROM lower(i.customer_email) AND i.customer_email IS NOT NULL)
		OR (i.has & (1 << 7) <> 0 AND o.email IS DISTINCT FROM i.email)
		OR (i.has & (1 << 13) <> 0 AND o.discount_minor IS DISTINCT FROM coalesce(i.discount_minor, 0))
		OR (i.has & (1 << 14) <> 0 AND o.shipping_minor IS DISTINCT FROM coalesce(i.shipping_minor, 0))
		OR (i.has & (1 << 15) <> 0 AND o.tax_minor IS DISTINCT FROM coalesce(i.tax_minor, 0))
		OR (i.has & (1 << 16) <> 0 AND o.paid_at IS DISTINCT FROM i.paid_at)
		OR (i.has & (1 << 17) <> 0 AND o.shipped_at IS DISTINCT FROM i.shipped_at)
		OR (i.has & (1 << 18) <> 0 AND o.delivered_at IS DISTINCT FROM i.delivered_at)
		OR (i.has & (1 << 19) <> 0 AND o.cancelled_at IS DISTINCT FROM i.cancelled_at)
		OR (i.has & (1 << 20) <> 0 AND o.cancel_reason IS DISTINCT FROM i.cancel_reason)
		OR (i.has & (1 << 21) <> 0 AND o.charge_code IS DISTINCT FROM i.charge_code)
		OR (i.has & (1 << 22) <> 0 AND o.channel IS DISTINCT FROM coalesce(i.channel, 'import'))
		OR (i.has & (1 << 23) <> 0 AND o.shipping_address IS DISTINCT FROM coalesce(i.address, '{}'))
		OR i.digest IS DISTINCT FROM (
			SELECT md5(string_agg(concat_ws('|', t.sku, t.quantity, t.unit_price_minor, t.name, t.options::text), E'\n'
				ORDER BY t.position, t.id))
			  FROM shop.order_items t WHERE t.order_id = o.id)
		THEN 'u' ELSE 's' END
  FROM import_order i
  LEFT JOIN shop.orders o ON o.number = i.number
  LEFT JOIN shop.customers k ON k.id = o.customer_id
 WHERE i.b BETWEEN $1::bigint AND $2::bigint
