SELECT json_build_object('order_id', o.id::text, 'orderNumber', o.number, 'status', o.status, 'history', shop.order_history(o.id),
	'messages', shop.order_letters(o.id, 50))
FROM shop.orders o WHERE o.id = (SELECT shop.order_find($1::jsonb->>'order_id', NULL))
