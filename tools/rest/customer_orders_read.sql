SELECT json_build_object('order', json_strip_nulls(json_build_object(
	'id', o.id::text,
	'orderNumber', o.number,
	'status', o.status,
	'total', souk.money(o.total_minor, o.currency),
	'currency', o.currency,
	'itemCount', o.item_count,
	'subtotal', souk.money(o.subtotal_minor, o.currency),
	'discount', souk.money(o.discount_minor, o.currency),
	'shipping', souk.money(o.shipping_minor, o.currency),
	'tax', souk.money(o.tax_minor, o.currency),
	'items', shop.order_lines(o.id, o.currency),
	'shipments', shop.order_parcels(o.id, true),
	'createdAt', souk.rfc3339(o.created_at),
	'updatedAt', souk.rfc3339(o.updated_at),
	'canCancel', shop.order_can_cancel(o))))
FROM shop.orders o WHERE o.id = (SELECT shop.order_find($1::jsonb->>'order_id', NULL))
