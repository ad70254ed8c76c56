-- A product that does not exist gives no row; without a product the bestsellers are given.
WITH arg AS (
	SELECT CASE WHEN $1::jsonb ? 'id' THEN shop.product_id(jsonb_build_object('productId', $1::jsonb->>'id')) END AS id,
		$1::jsonb ? 'id' AS given, ($1::jsonb->>'limit')::integer AS size, souk.locale($1::jsonb->>'locale') AS lang
), known AS (
	SELECT a.* FROM arg a
	WHERE NOT a.given OR EXISTS (SELECT FROM shop.products p WHERE p.id = a.id AND p.status = 'active')
), candidate AS (
	SELECT 1 AS tier, 'bought_together' AS reason, b.other_id AS id, row_number() OVER (ORDER BY b.score DESC, b.other_id) AS place
	FROM known k JOIN shop.product_pairs b ON b.product_id = k.id
	UNION ALL
	SELECT 2, 'similar', s.id, s.place
	FROM known k, unnest(shop.similar_ids(k.id, k.size + 20)) WITH ORDINALITY AS s(id, place) WHERE k.given
	UNION ALL
	SELECT 3, 'bestseller', s.id, row_number() OVER (ORDER BY s.sold_count DESC, s.id)
	FROM known k, LATERAL (
		SELECT p.id, p.sold_count FROM shop.products p WHERE NOT k.given AND p.status = 'active' AND p.stock > 0
		ORDER BY p.sold_count DESC, p.id LIMIT k.size) s
), best AS (
	SELECT * FROM (SELECT DISTINCT ON (id) * FROM candidate ORDER BY id, tier) d ORDER BY tier, place
), chosen AS (
	SELECT b.tier, b.place, b.reason, shop.card(p, c, k.lang) AS card
	FROM known k, best b JOIN shop.products p ON p.id = b.id AND p.status = 'active' LEFT JOIN shop.categories c ON c.id = p.category_id
	ORDER BY b.tier, b.place LIMIT (SELECT size FROM arg)
)
SELECT json_strip_nulls(json_build_object(
	'based_on', k.id::text,
	'recommendations', (
		SELECT coalesce(json_agg(json_build_object('reason', reason, 'product', card) ORDER BY tier, place), '[]') FROM chosen)))
FROM known k
