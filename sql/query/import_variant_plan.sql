-- Compare the variants of the batch with the shop, after its products.
INSERT INTO import_plan (n, id, product_id, action)
SELECT s.n, v.id, p.id,
	CASE WHEN p.id IS NULL THEN 'o'
	WHEN v.id IS NULL THEN 'c'
	WHEN v.product_id <> p.id
		OR (s.has & (1 << 9) <> 0 AND v.price_minor IS DISTINCT FROM s.price_minor)
		OR (s.has & (1 << 10) <> 0 AND v.sale_price_minor IS DISTINCT FROM s.sale_price_minor)
		OR (s.has & (1 << 12) <> 0 AND v.stock IS DISTINCT FROM coalesce(s.stock, 0))
		OR (s.has & (1 << 22) <> 0 AND v.options IS DISTINCT FROM coalesce(s.options, '{}'))
		OR (s.has & (1 << 23) <> 0 AND v.position IS DISTINCT FROM coalesce(s.position, 0))
		THEN 'u' ELSE 's' END
  FROM import_row s
  LEFT JOIN shop.products p ON p.sku = s.parent
  LEFT JOIN shop.product_variants v ON v.sku = s.sku
 WHERE s.variant
