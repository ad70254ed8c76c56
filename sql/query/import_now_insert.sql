-- Create the new orders. One that was placed in the past has been paid.
WITH made AS (
	INSERT INTO shop.orders (number, customer_id, created_at, status, currency, email, subtotal_minor, item_count, discount_minor,
		shipping_minor, tax_minor, total_minor, paid_at, shipped_at, delivered_at, cancelled_at, cancel_reason, charge_code, channel,
		shipping_address)
	SELECT i.number, w.customer_id, i.placed_at, i.status, i.currency, i.email, i.subtotal_minor, i.item_count,
		coalesce(i.discount_minor, 0), coalesce(i.shipping_minor, 0), coalesce(i.tax_minor, 0),
		i.subtotal_minor - coalesce(i.discount_minor, 0) + coalesce(i.shipping_minor, 0),
		CASE WHEN i.has & (1 << 16) = 0 AND i.status IN ('PAID', 'SHIPPED', 'DELIVERED') THEN i.placed_at ELSE i.paid_at END,
		i.shipped_at, i.delivered_at,
		CASE WHEN i.has & (1 << 19) = 0 AND i.status = 'CANCELLED' THEN i.placed_at ELSE i.cancelled_at END,
		i.cancel_reason, i.charge_code, coalesce(i.channel, 'import'), coalesce(i.address, '{}')
	  FROM import_now w JOIN import_order i ON i.b = w.b
	 WHERE w.action = 'c'
	 ORDER BY i.b
	ON CONFLICT (number) DO NOTHING
	RETURNING id, number)
UPDATE import_now w SET id = m.id FROM made m WHERE m.number = w.number
