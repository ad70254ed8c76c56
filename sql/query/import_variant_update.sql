-- Bring the changed variants up to date.
UPDATE shop.product_variants v
   SET updated_at = now(), product_id = w.product_id,
	price_minor = CASE WHEN s.has & (1 << 9) <> 0 THEN s.price_minor ELSE v.price_minor END,
	sale_price_minor = CASE WHEN s.has & (1 << 10) <> 0 THEN s.sale_price_minor ELSE v.sale_price_minor END,
	stock = CASE WHEN s.has & (1 << 12) <> 0 THEN coalesce(s.stock, 0) ELSE v.stock END,
	options = CASE WHEN s.has & (1 << 22) <> 0 THEN coalesce(s.options, '{}') ELSE v.options END,
	position = CASE WHEN s.has & (1 << 23) <> 0 THEN coalesce(s.position, 0) ELSE v.position END
  FROM import_plan w JOIN import_row s ON s.n = w.n AND s.variant
 WHERE v.id = w.id AND w.action = 'u'
