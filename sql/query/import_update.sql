-- Bring the changed products up to date; see import_plan.sql.
UPDATE shop.products p
   SET updated_at = now(),
	name = CASE WHEN s.has & (1 << 2) <> 0 THEN s.name ELSE p.name END,
	lang = CASE WHEN s.has & (1 << 3) <> 0 THEN s.lang ELSE p.lang END,
	slug = CASE WHEN s.has & (1 << 4) <> 0 AND s.slug IS NOT NULL
		AND NOT EXISTS (SELECT FROM shop.products o WHERE o.slug = s.slug) THEN s.slug ELSE p.slug END,
	brand = CASE WHEN s.has & (1 << 5) <> 0 THEN s.brand ELSE p.brand END,
	colour = CASE WHEN s.has & (1 << 6) <> 0 THEN s.colour ELSE p.colour END,
	category_id = CASE WHEN s.has & (1 << 7) <> 0 THEN c.id ELSE p.category_id END,
	description = CASE WHEN s.has & (1 << 8) <> 0 THEN coalesce(s.description, '') ELSE p.description END,
	price_minor = CASE WHEN s.has & (1 << 9) <> 0 THEN s.price_minor ELSE p.price_minor END,
	sale_price_minor = CASE WHEN s.has & (1 << 10) <> 0 THEN s.sale_price_minor ELSE p.sale_price_minor END,
	currency = CASE WHEN s.has & (1 << 11) <> 0 THEN s.currency ELSE p.currency END,
	stock = CASE WHEN s.has & (1 << 12) <> 0 AND p.variant_count = 0 THEN coalesce(s.stock, 0) ELSE p.stock END,
	featured = CASE WHEN s.has & (1 << 13) <> 0 THEN coalesce(s.featured, false) ELSE p.featured END,
	status = CASE WHEN s.has & (1 << 14) <> 0 THEN coalesce(s.status, 'active') ELSE p.status END,
	deleted_at = CASE WHEN s.has & (1 << 14) = 0 THEN p.deleted_at WHEN s.status = 'deleted' THEN coalesce(p.deleted_at, now()) END,
	rating_avg = CASE WHEN s.has & (1 << 15) <> 0 THEN s.rating_avg ELSE p.rating_avg END,
	rating_count = CASE WHEN s.has & (1 << 16) <> 0 THEN coalesce(s.rating_count, 0) ELSE p.rating_count END,
	names = CASE WHEN s.has & (1 << 17) <> 0 THEN jsonb_strip_nulls(p.names || coalesce(s.names, '{}')) ELSE p.names END,
	colours = CASE WHEN s.has & (1 << 18) <> 0 THEN jsonb_strip_nulls(p.colours || coalesce(s.colours, '{}')) ELSE p.colours END,
	descriptions = CASE WHEN s.has & (1 << 19) <> 0
		THEN jsonb_strip_nulls(p.descriptions || coalesce(s.descriptions, '{}')) ELSE p.descriptions END,
	images = CASE WHEN s.has & (1 << 20) <> 0 THEN coalesce(s.images, '[]') ELSE p.images END,
	attributes = CASE WHEN s.has & (1 << 21) <> 0 THEN coalesce(s.attributes, '{}') ELSE p.attributes END
  FROM import_plan w
  JOIN import_row s ON s.n = w.n
  LEFT JOIN shop.categories c ON c.path = s.category
 WHERE p.id = w.id AND w.action = 'u'
