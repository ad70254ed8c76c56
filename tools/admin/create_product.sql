SELECT shop.product_create($1::jsonb)
