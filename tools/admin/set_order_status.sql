SELECT shop.order_set_status($1::jsonb)
