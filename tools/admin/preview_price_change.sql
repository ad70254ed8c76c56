SELECT shop.price_preview($1::jsonb)
