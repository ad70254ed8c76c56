-- One pass over the products; prices are those of the currency that most products have.
WITH by_currency AS MATERIALIZED (
	SELECT currency, count(*) AS products, count(*) FILTER (WHERE stock > 0) AS in_stock, count(*) FILTER (WHERE featured) AS featured,
		count(sale_price_minor) AS on_sale, sum(rating_count) AS reviews, sum(rating_avg * rating_count) AS stars, max(updated_at) AS updated,
		min(coalesce(sale_price_minor, price_minor)) AS low, max(coalesce(sale_price_minor, price_minor)) AS high,
		round(avg(coalesce(sale_price_minor, price_minor)))::bigint AS average
	FROM shop.products WHERE status = 'active' GROUP BY currency
), main AS (
	SELECT * FROM by_currency ORDER BY products DESC, currency LIMIT 1
), whole AS (
	SELECT coalesce(sum(products), 0)::bigint AS products, coalesce(sum(in_stock), 0)::bigint AS in_stock, coalesce(sum(featured), 0)::bigint AS featured,
		coalesce(sum(on_sale), 0)::bigint AS on_sale, coalesce(sum(reviews), 0)::bigint AS reviews,
		round(sum(stars) / nullif(sum(reviews), 0), 2) AS rating, max(updated) AS updated
	FROM by_currency
)
SELECT json_strip_nulls(json_build_object('stats', json_build_object(
	'products', w.products,
	'in_stock', w.in_stock,
	'out_of_stock', w.products - w.in_stock,
	'featured', w.featured,
	'on_sale', w.on_sale,
	'categories', (SELECT count(*) FROM shop.categories),
	'brands', (SELECT count(*) FROM (SELECT DISTINCT brand FROM shop.products WHERE status = 'active' AND brand IS NOT NULL) b),
	'reviews', w.reviews,
	'average_rating', w.rating,
	'currency', m.currency,
	'min_price', souk.money(m.low, m.currency),
	'max_price', souk.money(m.high, m.currency),
	'average_price', souk.money(m.average, m.currency),
	'updated_at', souk.rfc3339(w.updated))))
FROM whole w LEFT JOIN main m ON true
