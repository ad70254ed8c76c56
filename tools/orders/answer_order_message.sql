SELECT shop.order_write($1::jsonb) FROM souk.staff_only()
