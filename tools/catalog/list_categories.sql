WITH arg AS (
	SELECT shop.category_find($1::jsonb->>'parent') AS top, ($1::jsonb->>'depth')::integer AS depth,
		souk.cursor_offset($1::jsonb->>'cursor') AS start, ($1::jsonb->>'limit')::integer AS size, souk.locale($1::jsonb->>'locale') AS lang
), tree AS MATERIALIZED (
	SELECT t.* FROM arg a, shop.category_list(a.lang) t
	WHERE (a.top IS NULL OR t.path_ids @> ARRAY[a.top] AND t.id <> a.top)
		AND t.level <= a.depth + coalesce((SELECT cardinality(c.path_ids) FROM shop.categories c WHERE c.id = a.top), 0)
)
SELECT json_strip_nulls(json_build_object(
	'categories', (
		SELECT coalesce(json_agg(t.category ORDER BY t.place), '[]')
		FROM (SELECT * FROM tree ORDER BY place OFFSET a.start LIMIT a.size) t),
	'total', (SELECT count(*) FROM tree),
	'nextCursor', souk.cursor_next(a.start, a.size, (SELECT count(*) FROM tree))))
FROM arg a
