SELECT shop.refund_preview($1::jsonb)
