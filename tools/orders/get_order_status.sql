SELECT shop.order_status(shop.order_find($1::jsonb->>'orderId', $1::jsonb->>'orderNumber'))
