WITH arg AS (
	SELECT $1::jsonb AS args, souk.cursor_offset($1::jsonb->>'cursor') AS start, ($1::jsonb->>'limit')::integer AS size,
		souk.locale($1::jsonb->>'locale') AS lang
), page AS MATERIALIZED (
	SELECT shop.list_ids(args || jsonb_build_object('category', args->>'categorySlug', 'offset', start)) AS found FROM arg
)
SELECT json_strip_nulls(json_build_object(
	'category', (
		SELECT shop.category_ref(c, lang)
		FROM shop.categories c WHERE c.id = shop.category_find(args->>'categorySlug')),
	'products', shop.cards(shop.found_ids(found), lang),
	'total', found->'total',
	'nextCursor', souk.cursor_next(start, size, (found->>'total')::bigint)))
FROM arg, page
