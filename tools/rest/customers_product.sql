SELECT json_build_object('product', shop.details(p, c, souk.locale($1::jsonb->>'locale')))
FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id
WHERE p.id = (SELECT shop.product_id(jsonb_build_object('productId', $1::jsonb->>'id'))) AND p.status = 'active'
