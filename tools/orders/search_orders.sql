WITH found AS (
	SELECT shop.order_list($1::jsonb, NULL) AS l
)
SELECT json_strip_nulls(json_build_object('orders', l->'orders', 'total', l->'total', 'nextCursor', l->'next')) FROM found
