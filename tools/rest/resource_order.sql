-- Row-level security decides whose order it may be.
SELECT json_strip_nulls(json_build_object(
	'id', o.id::text,
	'number', o.number,
	'status', o.status,
	'currency', o.currency,
	'subtotal', souk.money(o.subtotal_minor, o.currency),
	'discount', souk.money(o.discount_minor, o.currency),
	'shipping', souk.money(o.shipping_minor, o.currency),
	'tax', souk.money(o.tax_minor, o.currency),
	'total', souk.money(o.total_minor, o.currency),
	'itemCount', o.item_count,
	'items', shop.order_lines(o.id, o.currency),
	'shipments', (
		SELECT coalesce(json_agg(json_build_object(
			'carrier', s.carrier,
			'trackingNumber', s.tracking_number,
			'trackingUrl', s.tracking_url,
			'status', s.status,
			'shippedAt', souk.rfc3339(s.shipped_at),
			'estimatedAt', souk.rfc3339(s.estimated_at),
			'deliveredAt', souk.rfc3339(s.delivered_at)) ORDER BY s.id), '[]')
		FROM (SELECT * FROM shop.shipments WHERE order_id = o.id ORDER BY id LIMIT 50) s),
	'createdAt', souk.rfc3339(o.created_at),
	'updatedAt', souk.rfc3339(o.updated_at)))
FROM shop.orders o WHERE o.number = $1::jsonb->>'number'
