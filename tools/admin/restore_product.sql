SELECT shop.product_set_status($1::jsonb->>'productId', $1::jsonb->>'status')
