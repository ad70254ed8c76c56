-- What follows from the rest: counters, pairs, the search index, tastes; then the shop checks itself, which is its first recorded test run.
SELECT shop.refresh_counts();
SELECT shop.refresh_pairs();
SELECT shop.search_refresh(100000);

INSERT INTO souk.preferences (customer_id, price_min_minor, price_max_minor, avg_order_minor, purchase_frequency, currency, categories, styles, colours)
SELECT o.customer_id, min(i.unit_price_minor), max(i.unit_price_minor),
	(SELECT round(avg(x.total_minor)) FROM shop.orders x WHERE x.customer_id = o.customer_id AND x.status <> 'CANCELLED'),
	(SELECT count(*) FROM shop.orders x WHERE x.customer_id = o.customer_id AND x.status <> 'CANCELLED'
		AND x.created_at > pg_temp.demo_now() - interval '1 year'),
	'EUR',
	ARRAY(SELECT c.slug FROM shop.orders x JOIN shop.order_items y ON y.order_id = x.id JOIN shop.products p ON p.id = y.product_id
		JOIN shop.categories c ON c.id = p.category_id WHERE x.customer_id = o.customer_id AND x.status <> 'CANCELLED'
		GROUP BY c.slug ORDER BY sum(y.quantity) DESC, c.slug LIMIT 3),
	ARRAY(SELECT p.attributes->>'style' FROM shop.orders x JOIN shop.order_items y ON y.order_id = x.id JOIN shop.products p ON p.id = y.product_id
		WHERE x.customer_id = o.customer_id AND x.status <> 'CANCELLED' GROUP BY 1 ORDER BY sum(y.quantity) DESC, 1 LIMIT 2),
	ARRAY(SELECT p.colour FROM shop.orders x JOIN shop.order_items y ON y.order_id = x.id JOIN shop.products p ON p.id = y.product_id
		WHERE x.customer_id = o.customer_id AND x.status <> 'CANCELLED' GROUP BY 1 ORDER BY sum(y.quantity) DESC, 1 LIMIT 3)
  FROM shop.orders o JOIN shop.order_items i ON i.order_id = o.id
 WHERE o.customer_id IS NOT NULL AND o.status <> 'CANCELLED'
 GROUP BY o.customer_id;

INSERT INTO souk.settings (key, value, updated_by) VALUES
	('shop.name', '"Maison Souk"', 'demo'), ('shop.currency', '"EUR"', 'demo'), ('shop.language', '"fr"', 'demo'), ('shop.demo', 'true', 'demo')
ON CONFLICT (key) DO NOTHING;

WITH began AS MATERIALIZED (
	SELECT clock_timestamp() AS at
), check_of AS MATERIALIZED (
	SELECT name, passed FROM (VALUES
		('600 or more products', (SELECT count(*) >= 600 FROM shop.products)),
		('every product has a category', NOT EXISTS (SELECT FROM shop.products WHERE category_id IS NULL)),
		('every product has an English name', NOT EXISTS (SELECT FROM shop.products WHERE coalesce(names->>'en', '') = '')),
		('every product has a price', NOT EXISTS (SELECT FROM shop.products WHERE coalesce(price_minor, 0) <= 0)),
		('sale prices are lower', NOT EXISTS (SELECT FROM shop.products WHERE sale_price_minor >= price_minor)),
		('variants add up to the stock', NOT EXISTS (SELECT FROM shop.products p WHERE p.variant_count > 0
			AND p.stock <> (SELECT sum(v.stock) FROM shop.product_variants v WHERE v.product_id = p.id))),
		('every product can be found', (SELECT count(*) FROM shop.product_search) = (SELECT count(*) FROM shop.products WHERE status = 'active')),
		('300 customers', (SELECT count(*) = 300 FROM shop.customers)),
		('every order has lines', NOT EXISTS (SELECT FROM shop.orders o WHERE NOT EXISTS (SELECT FROM shop.order_items i WHERE i.order_id = o.id))),
		('lines add up to the order', NOT EXISTS (SELECT FROM shop.orders o JOIN (SELECT order_id, sum(total_minor) AS t, sum(quantity) AS q
			FROM shop.order_items GROUP BY order_id) i ON i.order_id = o.id WHERE i.t <> o.subtotal_minor OR i.q <> o.item_count)),
		('orders add up', NOT EXISTS (SELECT FROM shop.orders WHERE total_minor <> subtotal_minor - discount_minor + shipping_minor)),
		('no order before its customer', NOT EXISTS (SELECT FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id
			WHERE o.created_at < c.created_at - interval '1 day')),
		('no order before its products', NOT EXISTS (SELECT FROM shop.orders o JOIN shop.order_items i ON i.order_id = o.id
			JOIN shop.products p ON p.id = i.product_id WHERE p.created_at > o.created_at)),
		('nothing happens in the future', NOT EXISTS (SELECT FROM shop.orders WHERE greatest(created_at, paid_at, shipped_at, delivered_at, cancelled_at) > now())),
		('what is shipped has a shipment', NOT EXISTS (SELECT FROM shop.orders o WHERE o.status IN ('SHIPPED', 'DELIVERED')
			AND NOT EXISTS (SELECT FROM shop.shipments s WHERE s.order_id = o.id))),
		('what is not shipped has none', NOT EXISTS (SELECT FROM shop.shipments s JOIN shop.orders o ON o.id = s.order_id
			WHERE o.status NOT IN ('SHIPPED', 'DELIVERED'))),
		('ratings are those of the reviews', NOT EXISTS (SELECT FROM shop.products p WHERE p.rating_count
			<> (SELECT count(*) FROM shop.reviews r WHERE r.product_id = p.id AND r.status = 'published')))
	) AS v(name, passed)
)
INSERT INTO souk.test_runs (execution_id, test_type, status, total, passed, failed, started_at, finished_at, options)
SELECT 'test_' || substr(md5(b.at::text), 1, 8), 'system', CASE WHEN bool_and(c.passed) THEN 'completed' ELSE 'failed' END, count(*), count(*) FILTER (WHERE c.passed),
	count(*) FILTER (WHERE NOT c.passed), b.at, clock_timestamp(),
	json_build_object('suite', 'demo shop', 'failed', coalesce(json_agg(c.name) FILTER (WHERE NOT c.passed), '[]'))
  FROM began b, check_of c GROUP BY b.at;

ANALYZE shop.categories, shop.products, shop.product_variants, shop.product_pairs, shop.product_search, shop.search_words, shop.customers, shop.orders,
	shop.order_items, shop.shipments, shop.reviews, souk.preferences;
