SELECT shop.order_track($1::jsonb || '{"status": "DELIVERED"}')
