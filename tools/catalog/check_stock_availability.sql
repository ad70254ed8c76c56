-- A variant that the product does not have gives no row.
WITH arg AS (
	SELECT w.id, shop.variant_arg($1::jsonb, w.id) AS variant, ($1::jsonb->>'quantity')::integer AS quantity,
		souk.locale($1::jsonb->>'locale') AS lang
	  FROM (SELECT shop.product_id($1::jsonb) AS id) w
)
SELECT json_strip_nulls(json_build_object(
	'productId', p.id::text,
	'sku', coalesce(v.sku, p.sku),
	'name', coalesce(p.names->>a.lang, p.name),
	'requested', a.quantity,
	'available', coalesce(v.stock, p.stock) >= a.quantity,
	'inStock', coalesce(v.stock, p.stock) > 0,
	'stock', greatest(coalesce(v.stock, p.stock), 0),
	'variants', CASE WHEN p.variant_count > 0 AND v.id IS NULL THEN (
		SELECT json_agg(json_build_object(
			'sku', w.sku,
			'options', w.options,
			'stock', greatest(w.stock, 0),
			'available', w.stock >= a.quantity) ORDER BY w.position, w.id)
		FROM shop.product_variants w WHERE w.product_id = p.id) END))
FROM arg a
JOIN shop.products p ON p.id = a.id AND p.status = 'active'
LEFT JOIN shop.product_variants v ON v.product_id = p.id AND v.sku = a.variant
WHERE a.variant IS NULL OR v.id IS NOT NULL
