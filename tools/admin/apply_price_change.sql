SELECT shop.price_apply($1::jsonb)
