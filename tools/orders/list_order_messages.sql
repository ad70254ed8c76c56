WITH waiting AS (
	SELECT m.*, o.number FROM shop.order_messages m JOIN shop.orders o ON o.id = m.order_id, souk.staff_only() WHERE m.read_at IS NULL AND NOT m.from_shop
)
SELECT json_build_object('messages', (
	SELECT coalesce(json_agg(json_build_object('id', w.id::text, 'orderId', w.order_id::text, 'orderNumber', w.number, 'at', souk.rfc3339(w.created_at),
		'message', left(w.body, 500)) ORDER BY w.created_at, w.id), '[]') FROM (SELECT * FROM waiting ORDER BY created_at, id LIMIT ($1::jsonb->>'limit')::integer) w),
	'total', (SELECT count(*) FROM waiting))
