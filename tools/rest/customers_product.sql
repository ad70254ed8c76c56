SELECT json_build_object('product', shop.details(p, souk.locale($1::jsonb->>'locale'),
	(SELECT shop.category_ref(c, souk.locale($1::jsonb->>'locale')) FROM shop.categories c WHERE c.id = p.category_id),
	CASE WHEN p.variant_count > 0 THEN (
		SELECT json_agg(shop.variant(v, p.price_minor, p.sale_price_minor, p.currency) ORDER BY v.position, v.id)
		FROM shop.product_variants v WHERE v.product_id = p.id) END))
FROM shop.products p
WHERE p.id = (SELECT shop.product_id(jsonb_build_object('productId', $1::jsonb->>'id'))) AND p.status = 'active'
