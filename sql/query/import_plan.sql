-- Compare the products of the batch with the shop. A bit of has that is not set leaves the column alone. A product with variants has
-- their stock. Translations are added to those that are there. New products get their slug, the given one or one made
-- of the name; where the shop or an earlier row of the batch has it, or the other connection is about to (crowded), the SKU
-- is added.
INSERT INTO import_plan (n, id, action, reason, slug)
SELECT x.n, x.id, x.action,
	CASE WHEN x.action = 'x' THEN 'there is no product with this SKU yet, and a new one needs a name' END,
	CASE WHEN x.k = 1 AND o.id IS NULL AND NOT x.crowded THEN x.slug
	ELSE left(x.slug, 120) || '-' || left(coalesce(nullif(souk.slug(x.sku), ''), md5(x.sku)), 70) END
  FROM (SELECT s.n, s.sku, s.crowded, p.id,
	CASE WHEN p.id IS NULL AND s.name IS NULL THEN 'x'
	WHEN p.id IS NULL THEN 'c'
	WHEN (s.has & (1 << 2) <> 0 AND p.name IS DISTINCT FROM s.name)
		OR (s.has & (1 << 3) <> 0 AND p.lang IS DISTINCT FROM s.lang)
		OR (s.has & (1 << 4) <> 0 AND s.slug IS NOT NULL AND p.slug IS DISTINCT FROM s.slug)
		OR (s.has & (1 << 5) <> 0 AND p.brand IS DISTINCT FROM s.brand)
		OR (s.has & (1 << 6) <> 0 AND p.colour IS DISTINCT FROM s.colour)
		OR (s.has & (1 << 7) <> 0 AND c.path IS DISTINCT FROM s.category)
		OR (s.has & (1 << 9) <> 0 AND p.price_minor IS DISTINCT FROM s.price_minor)
		OR (s.has & (1 << 10) <> 0 AND p.sale_price_minor IS DISTINCT FROM s.sale_price_minor)
		OR (s.has & (1 << 11) <> 0 AND p.currency IS DISTINCT FROM s.currency)
		OR (s.has & (1 << 12) <> 0 AND p.variant_count = 0 AND p.stock IS DISTINCT FROM coalesce(s.stock, 0))
		OR (s.has & (1 << 13) <> 0 AND p.featured IS DISTINCT FROM coalesce(s.featured, false))
		OR (s.has & (1 << 14) <> 0 AND p.status IS DISTINCT FROM coalesce(s.status, 'active'))
		OR (s.has & (1 << 15) <> 0 AND p.rating_avg IS DISTINCT FROM s.rating_avg)
		OR (s.has & (1 << 16) <> 0 AND p.rating_count IS DISTINCT FROM coalesce(s.rating_count, 0))
		OR (s.has & (1 << 17) <> 0 AND p.names IS DISTINCT FROM jsonb_strip_nulls(p.names || coalesce(s.names, '{}')))
		OR (s.has & (1 << 18) <> 0 AND p.colours IS DISTINCT FROM jsonb_strip_nulls(p.colours || coalesce(s.colours, '{}')))
		OR (s.has & (1 << 19) <> 0 AND p.descriptions IS DISTINCT FROM jsonb_strip_nulls(p.descriptions || coalesce(s.descriptions, '{}')))
		OR (s.has & (1 << 20) <> 0 AND p.images IS DISTINCT FROM coalesce(s.images, '[]'))
		OR (s.has & (1 << 21) <> 0 AND p.attributes IS DISTINCT FROM coalesce(s.attributes, '{}'))
		OR (s.has & (1 << 8) <> 0 AND p.description IS DISTINCT FROM coalesce(s.description, ''))
		THEN 'u' ELSE 's' END AS action,
	w.slug, row_number() OVER (PARTITION BY w.slug ORDER BY s.n) AS k
  FROM import_row s
  LEFT JOIN shop.products p ON p.sku = s.sku
  LEFT JOIN shop.categories c ON c.id = p.category_id
 CROSS JOIN LATERAL (SELECT CASE WHEN p.id IS NULL
	THEN left(coalesce(s.slug, s.slug_hint, nullif(souk.slug(s.name), ''), nullif(souk.slug(s.sku), ''), 'product'), 180) END AS slug) w
 WHERE NOT s.variant) x
  LEFT JOIN shop.products o ON o.slug = x.slug
 ORDER BY x.n
