WITH found AS (
	SELECT shop.order_list($1::jsonb, shop.customer_named($1::jsonb->>'customer_id', 'customer_id')) AS l
)
SELECT json_build_object('orders', l->'orders',
	'pagination', json_build_object('total', l->'total', 'page', ($1::jsonb->>'page')::integer, 'limit', ($1::jsonb->>'limit')::integer)) FROM found
