-- All products, each followed by its variants, in the columns that souk import reads.
CREATE TEMPORARY VIEW export_rows AS
SELECT r.sku, r.parent_sku, r.name, r.lang, r.slug, r.brand, r.colour, r.category, r.description, r.price, r.sale_price, r.currency, r.stock,
	r.featured, r.status, r.rating, r.rating_count, r.names, r.colours, r.descriptions, r.images, r.attributes, r.options, r.position
  FROM shop.products p
 CROSS JOIN LATERAL (
	SELECT 0 AS part, 0::bigint AS id, p.sku, NULL AS parent_sku, p.name, p.lang, p.slug, p.brand, p.colour,
		(SELECT c.path FROM shop.categories c WHERE c.id = p.category_id) AS category, p.description,
		souk.money(p.price_minor, p.currency) AS price, souk.money(p.sale_price_minor, p.currency) AS sale_price, p.currency, p.stock,
		p.featured, p.status, p.rating_avg AS rating, p.rating_count, p.names, p.colours, p.descriptions, p.images, p.attributes,
		NULL::jsonb AS options, NULL::smallint AS position
	UNION ALL
	SELECT 1, v.id, v.sku, p.sku, NULL, NULL, NULL, NULL, NULL, NULL, NULL, souk.money(v.price_minor, p.currency),
		souk.money(v.sale_price_minor, p.currency), p.currency, v.stock, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, v.options,
		v.position
	  FROM shop.product_variants v WHERE v.product_id = p.id) r
 ORDER BY p.id, r.part, r.position, r.id
