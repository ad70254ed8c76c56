SELECT shop.order_write($1::jsonb)
