SELECT shop.product_set_status($1::jsonb->>'productId', 'deleted')
