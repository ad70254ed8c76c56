SELECT json_build_object('product', shop.details(p, souk.locale($1::jsonb->>'locale', $2),
	(SELECT shop.category_ref(c, souk.locale($1::jsonb->>'locale', $2)) FROM shop.categories c WHERE c.id = p.category_id),
	CASE WHEN p.variant_count > 0 THEN shop.variants(p.id, p.price_minor, p.sale_price_minor, p.currency) END))
FROM shop.products p
WHERE p.id = (SELECT shop.product_id(jsonb_build_object('productId', $1::jsonb->>'id'))) AND p.status = 'active'
