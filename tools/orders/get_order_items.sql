SELECT json_strip_nulls(json_build_object(
	'orderId', o.id::text,
	'orderNumber', o.number,
	'currency', o.currency,
	'items', shop.order_lines(o.id, o.currency),
	'subtotal', souk.money(o.subtotal_minor, o.currency),
	'discount', souk.money(o.discount_minor, o.currency),
	'shipping', souk.money(o.shipping_minor, o.currency),
	'tax', souk.money(o.tax_minor, o.currency),
	'total', souk.money(o.total_minor, o.currency)))
FROM shop.orders o WHERE o.id = (SELECT shop.order_find($1::jsonb->>'orderId', NULL))
