-- Create the new products. One that is left out because somebody else has taken its slug since it was chosen gets
-- another, with a digest of the SKU; one whose SKU somebody else has just created stays theirs.
DO $$
DECLARE
	made bigint;
BEGIN
	INSERT INTO shop.products (category_id, price_minor, sale_price_minor, deleted_at, stock, rating_count, rating_avg, featured, status,
		currency, lang, sku, slug, name, brand, colour, description, names, colours, descriptions, images, attributes)
	SELECT c.id, s.price_minor, s.sale_price_minor, CASE WHEN s.status = 'deleted' THEN now() END, coalesce(s.stock, 0),
		coalesce(s.rating_count, 0), s.rating_avg, coalesce(s.featured, false), coalesce(s.status, 'active'), s.currency, s.lang, s.sku,
		w.slug, s.name, s.brand, s.colour, coalesce(s.description, ''), jsonb_strip_nulls(coalesce(s.names, '{}')),
		jsonb_strip_nulls(coalesce(s.colours, '{}')), jsonb_strip_nulls(coalesce(s.descriptions, '{}')), coalesce(s.images, '[]'),
		coalesce(s.attributes, '{}')
	  FROM import_plan w
	  JOIN import_row s ON s.n = w.n
	  LEFT JOIN shop.categories c ON c.path = s.category
	 WHERE w.action = 'c'
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS made = ROW_COUNT;
	IF made < (SELECT count(*) FROM import_plan WHERE action = 'c') THEN
		INSERT INTO shop.products (category_id, price_minor, sale_price_minor, deleted_at, stock, rating_count, rating_avg, featured, status,
			currency, lang, sku, slug, name, brand, colour, description, names, colours, descriptions, images, attributes)
		SELECT c.id, s.price_minor, s.sale_price_minor, CASE WHEN s.status = 'deleted' THEN now() END, coalesce(s.stock, 0),
			coalesce(s.rating_count, 0), s.rating_avg, coalesce(s.featured, false), coalesce(s.status, 'active'), s.currency, s.lang, s.sku,
			left(w.slug, 120) || '-' || md5(s.sku),
			s.name, s.brand, s.colour, coalesce(s.description, ''), jsonb_strip_nulls(coalesce(s.names, '{}')),
			jsonb_strip_nulls(coalesce(s.colours, '{}')), jsonb_strip_nulls(coalesce(s.descriptions, '{}')), coalesce(s.images, '[]'),
			coalesce(s.attributes, '{}')
		  FROM import_plan w
		  JOIN import_row s ON s.n = w.n
		  LEFT JOIN shop.categories c ON c.path = s.category
		 WHERE w.action = 'c' AND NOT EXISTS (SELECT FROM shop.products p WHERE p.sku = s.sku)
		ON CONFLICT (sku) DO NOTHING;
	END IF;
END
$$
