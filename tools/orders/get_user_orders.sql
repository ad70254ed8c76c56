WITH found AS (
	SELECT shop.order_list($1::jsonb, shop.customer_named($1::jsonb->>'userId', 'userId')) AS l
)
SELECT json_strip_nulls(json_build_object('orders', l->'orders', 'total', l->'total', 'nextCursor', l->'next')) FROM found
