SELECT json_strip_nulls(json_build_object(
	'categories', coalesce(json_agg(t.category ORDER BY t.place), '[]'),
	'total', count(*)))
FROM (SELECT * FROM shop.category_list(souk.locale($1::jsonb->>'locale')) ORDER BY place LIMIT 2000) t
