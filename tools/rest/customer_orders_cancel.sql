SELECT shop.order_cancel($1::jsonb)
