WITH arg AS (
	SELECT souk.cursor_offset($1::jsonb->>'cursor') AS start, souk.locale($1::jsonb->>'locale') AS lang,
		(SELECT count(*) FROM shop.products WHERE status = 'active') AS total
), page AS (
	SELECT p.* FROM shop.products p WHERE p.status = 'active' ORDER BY p.id OFFSET (SELECT start FROM arg) LIMIT 200
)
SELECT json_strip_nulls(json_build_object(
	'products', (
		SELECT coalesce(json_agg(json_build_object(
			'id', p.id::text,
			'slug', p.slug,
			'name', coalesce(p.names->>a.lang, p.name),
			'categorySlug', c.slug,
			'price', souk.money(shop.pays(p), p.currency),
			'currency', p.currency,
			'inStock', p.stock > 0) ORDER BY p.id), '[]')
		FROM page p LEFT JOIN shop.categories c ON c.id = p.category_id),
	'total', a.total,
	'nextCursor', souk.cursor_next(a.start, 200, a.total)))
FROM arg a
