SELECT shop.product_update($1::jsonb)
