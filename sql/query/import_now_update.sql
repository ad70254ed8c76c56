-- Bring the changed orders up to date; see import_now_plan.sql.
UPDATE shop.orders o
   SET updated_at = now(), customer_id = w.customer_id, currency = i.currency,
	created_at = CASE WHEN i.has & (1 << 1) <> 0 THEN i.placed_at ELSE o.created_at END,
	status = CASE WHEN i.has & (1 << 2) <> 0 THEN i.status ELSE o.status END,
	email = CASE WHEN i.has & (1 << 7) <> 0 THEN i.email ELSE o.email END,
	subtotal_minor = i.subtotal_minor, item_count = i.item_count, discount_minor = d.discount, shipping_minor = d.shipping,
	tax_minor = CASE WHEN i.has & (1 << 15) <> 0 THEN coalesce(i.tax_minor, 0) ELSE o.tax_minor END,
	total_minor = i.subtotal_minor - d.discount + d.shipping,
	paid_at = CASE WHEN i.has & (1 << 16) <> 0 THEN i.paid_at ELSE o.paid_at END,
	shipped_at = CASE WHEN i.has & (1 << 17) <> 0 THEN i.shipped_at ELSE o.shipped_at END,
	delivered_at = CASE WHEN i.has & (1 << 18) <> 0 THEN i.delivered_at ELSE o.delivered_at END,
	cancelled_at = CASE WHEN i.has & (1 << 19) <> 0 THEN i.cancelled_at
		WHEN i.has & (1 << 2) <> 0 AND i.status = 'CANCELLED' THEN coalesce(o.cancelled_at, i.placed_at) ELSE o.cancelled_at END,
	cancel_reason = CASE WHEN i.has & (1 << 20) <> 0 THEN i.cancel_reason ELSE o.cancel_reason END,
	charge_code = CASE WHEN i.has & (1 << 21) <> 0 THEN i.charge_code ELSE o.charge_code END,
	channel = CASE WHEN i.has & (1 << 22) <> 0 THEN coalesce(i.channel, 'import') ELSE o.channel END,
	shipping_address = CASE WHEN i.has & (1 << 23) <> 0 THEN coalesce(i.address, '{}') ELSE o.shipping_address END
  FROM import_now w
  JOIN import_order i ON i.b = w.b
  JOIN shop.orders p ON p.id = w.id
 CROSS JOIN LATERAL (SELECT
	CASE WHEN i.has & (1 << 13) <> 0 THEN coalesce(i.discount_minor, 0) ELSE p.discount_minor END AS discount,
	CASE WHEN i.has & (1 << 14) <> 0 THEN coalesce(i.shipping_minor, 0) ELSE p.shipping_minor END AS shipping) d
 WHERE o.id = w.id AND w.action = 'u'
