SELECT shop.refund_order($1::jsonb)
