-- Like $1 (productId, limit, locale), by PostgreSQL alone: {"productId", "products"}; no row when there is no such product.
SELECT json_strip_nulls(json_build_object('productId', s.id::text, 'products', shop.cards(s.ids, souk.locale($1::jsonb->>'locale'))))
FROM (SELECT w.id, shop.similar_ids(w.id, ($1::jsonb->>'limit')::integer) AS ids
	FROM (SELECT shop.product_id($1::jsonb) AS id) w) s
WHERE s.ids IS NOT NULL
