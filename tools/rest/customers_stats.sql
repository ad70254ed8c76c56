WITH counts AS (
	SELECT count(*) AS products, count(*) FILTER (WHERE stock > 0) AS in_stock, count(*) FILTER (WHERE featured) AS featured,
		count(*) FILTER (WHERE sale_price_minor IS NOT NULL) AS on_sale, count(DISTINCT brand) AS brands,
		coalesce(sum(rating_count), 0) AS reviews, round(sum(rating_avg * rating_count) / nullif(sum(rating_count), 0), 2) AS rating,
		mode() WITHIN GROUP (ORDER BY currency) AS currency, max(updated_at) AS updated
	FROM shop.products WHERE status = 'active'
), prices AS (
	SELECT min(shop.pays(p)) AS low, max(shop.pays(p)) AS high, round(avg(shop.pays(p)))::bigint AS average
	FROM shop.products p, counts c WHERE p.status = 'active' AND p.currency = c.currency
)
SELECT json_build_object('stats', json_strip_nulls(json_build_object(
	'products', c.products,
	'in_stock', c.in_stock,
	'out_of_stock', c.products - c.in_stock,
	'featured', c.featured,
	'on_sale', c.on_sale,
	'categories', (SELECT count(*) FROM shop.categories),
	'brands', c.brands,
	'reviews', c.reviews,
	'average_rating', c.rating,
	'currency', c.currency,
	'min_price', souk.money(p.low, c.currency),
	'max_price', souk.money(p.high, c.currency),
	'average_price', souk.money(p.average, c.currency),
	'updated_at', souk.rfc3339(c.updated))))
FROM counts c, prices p WHERE $1::jsonb IS NOT NULL
