-- The hot path: one look-up by key, one expression. A number is the key itself; other names are looked up.
SELECT shop.details(p, souk.locale($1::jsonb->>'locale', $2),
	(SELECT shop.category_ref(c, souk.locale($1::jsonb->>'locale', $2)) FROM shop.categories c WHERE c.id = p.category_id),
	CASE WHEN p.variant_count > 0 THEN shop.variants(p.id, p.price_minor, p.sale_price_minor, p.currency) END)
FROM shop.products p
WHERE p.status = 'active' AND p.id = CASE
	WHEN $1::jsonb->>'productId' ~ '^[0-9]{1,18}$' THEN ($1::jsonb->>'productId')::bigint
	ELSE shop.product_id($1::jsonb) END
