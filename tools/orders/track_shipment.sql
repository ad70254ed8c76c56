SELECT json_strip_nulls(json_build_object('orderId', o.id::text, 'orderNumber', o.number, 'status', o.status, 'shipments', shop.order_parcels(o.id, true)))
FROM shop.orders o WHERE o.id = (SELECT shop.order_find($1::jsonb->>'orderId', NULL))
