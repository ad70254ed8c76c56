-- Products as staff see them. $1 arguments of list_products -> JSON object.
SELECT json_strip_nulls(shop.admin_list($1::jsonb))
