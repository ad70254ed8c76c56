WITH arg AS (
	SELECT $1::jsonb AS args, ($1::jsonb->>'limit')::integer AS size,
		(($1::jsonb->>'page')::integer - 1) * ($1::jsonb->>'limit')::integer AS start
), page AS MATERIALIZED (
	SELECT shop.list_ids(jsonb_strip_nulls(jsonb_build_object(
		'category', args->'category',
		'lowStock', args->'low_stock',
		'threshold', args->'threshold',
		'words', nullif(trim(args->>'q'), ''),
		'sortBy', CASE WHEN args->>'low_stock' = 'true' THEN 'stock' ELSE 'id' END,
		'offset', start,
		'limit', size))) AS found FROM arg
)
SELECT json_strip_nulls(json_build_object(
	'items', (
		SELECT coalesce(json_agg(json_build_object(
			'id', p.id::text,
			'sku', p.sku,
			'name', p.name,
			'category', coalesce(c.name, ''),
			'stock', p.stock,
			'price', souk.money(p.price_minor, p.currency),
			'currency', p.currency) ORDER BY w.place), '[]')
		FROM unnest(shop.found_ids(found)) WITH ORDINALITY AS w(id, place)
		JOIN shop.products p ON p.id = w.id
		LEFT JOIN shop.categories c ON c.id = p.category_id),
	'categories', (
		SELECT coalesce(json_agg(x.name ORDER BY x.path), '[]') FROM (
			SELECT c.name, min(c.path) AS path FROM shop.categories c
			WHERE EXISTS (SELECT FROM shop.products p WHERE p.category_id = c.id AND p.status = 'active')
			GROUP BY c.name ORDER BY 2 LIMIT 2000) x),
	'pagination', json_build_object('total', found->'total', 'page', args->'page', 'limit', size)))
FROM arg, page
