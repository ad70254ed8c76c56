-- Create the new products. Whatever meets a row that somebody else has just written is left to import_insert_rest.sql.
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
ON CONFLICT DO NOTHING
