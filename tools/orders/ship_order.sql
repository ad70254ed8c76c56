SELECT shop.order_ship($1::jsonb)
