WITH arg AS (
	SELECT $1::jsonb AS args, ($1::jsonb->>'limit')::integer AS size,
		coalesce(($1::jsonb->>'offset')::integer, (($1::jsonb->>'page')::integer - 1) * ($1::jsonb->>'limit')::integer) AS start
), page AS MATERIALIZED (
	SELECT shop.list_ids(args || jsonb_build_object('offset', start, 'sortBy', args->>'sort')) AS found FROM arg
)
SELECT json_strip_nulls(json_build_object(
	'products', shop.cards(shop.found_ids(found), souk.locale(args->>'locale')),
	'pagination', json_build_object('total', found->'total', 'page', start / size + 1, 'limit', size)))
FROM arg, page
