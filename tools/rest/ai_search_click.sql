-- $1 {searchId, productId, position} -> {success}. The first click on a product counts; one that is not sold is not found.
WITH product AS (
	SELECT id FROM shop.products WHERE id = CASE WHEN $1::jsonb->>'productId' ~ '^[0-9]+$' THEN ($1::jsonb->>'productId')::bigint END AND status = 'active'
), click AS (
	INSERT INTO souk.search_clicks (search_id, product_id, place)
	SELECT $1::jsonb->>'searchId', id, ($1::jsonb->>'position')::integer FROM product
	ON CONFLICT DO NOTHING
)
SELECT json_build_object('success', true) FROM product
