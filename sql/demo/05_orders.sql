-- Two years of orders: growing, strongest from September to Christmas and in the January and July sales, more at the beginning of the week than
-- on Saturdays, most at noon and in the evening.
CREATE FUNCTION pg_temp.season(day date) RETURNS double precision
LANGUAGE sql IMMUTABLE
AS $$
SELECT ('{0.95,0.80,0.85,0.92,0.95,0.88,0.92,0.66,1.05,1.16,1.42,1.58}'::float8[])[extract(month FROM day)::integer]
	* CASE WHEN extract(month FROM day) = 1 AND extract(day FROM day) BETWEEN 8 AND 31 THEN 1.35       -- winter sales
		WHEN to_char(day, 'MMDD') BETWEEN '0626' AND '0723' THEN 1.35                              -- summer sales
		WHEN to_char(day, 'MMDD') BETWEEN '1122' AND '1129' THEN 1.45                              -- the end of November
		WHEN to_char(day, 'MMDD') BETWEEN '1221' AND '1226' THEN 0.45                              -- too late for Christmas
		ELSE 1 END
	* ('{1.18,1.12,1.04,1.02,0.92,0.72,1.00}'::float8[])[extract(isodow FROM day)::integer]
$$;

CREATE FUNCTION pg_temp.in_sales(day date) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$ SELECT to_char(day, 'MMDD') BETWEEN '0108' AND '0205' OR to_char(day, 'MMDD') BETWEEN '0626' AND '0723' OR to_char(day, 'MMDD') BETWEEN '1122' AND '1129' $$;

CREATE TEMP TABLE demo_order ON COMMIT DROP AS
WITH day AS (
	SELECT d::date AS day, (d::date - (pg_temp.demo_now()::date - 730)) / 730.0 AS age
	  FROM generate_series(pg_temp.demo_now()::date - 730, pg_temp.demo_now()::date, interval '1 day') AS d
), busy AS (
	SELECT day, age, floor(5.0 * (0.8 + 0.55 * age) * pg_temp.season(day) * (0.72 + 0.56 * pg_temp.chance('day ' || age::numeric(9, 6)))
		+ pg_temp.chance('more ' || age::numeric(9, 6)))::integer AS orders
	  FROM day
), placed AS (
	SELECT b.day, b.age, (b.day - (pg_temp.demo_now()::date - 730)) || '-' || i AS key, i
	  FROM busy b, generate_series(1, b.orders) AS i
), timed AS (
	SELECT p.*, ((p.day + make_interval(secs => 60 * (
			CASE WHEN pg_temp.chance('part ' || p.key) < 0.38 THEN 660 + 220 * pg_temp.chance('noon ' || p.key)
				WHEN pg_temp.chance('part ' || p.key) < 0.80 THEN 1100 + 270 * (pg_temp.chance('eve ' || p.key) + pg_temp.chance('ning ' || p.key)) / 2
				ELSE 420 + 900 * pg_temp.chance('other ' || p.key) END)))::timestamp(0) AT TIME ZONE 'Europe/Paris') AS placed_at
	  FROM placed p
)
SELECT row_number() OVER (ORDER BY placed_at, key) AS n, day, age, key, placed_at, pg_temp.chance('fate ' || key) AS fate,
	pg_temp.in_sales(day) AS sales, extract(epoch FROM pg_temp.demo_now() - placed_at) / 86400 AS days_ago
  FROM timed WHERE placed_at <= pg_temp.demo_now();
ALTER TABLE demo_order ADD customer_id bigint, ADD taste text, ADD guest integer;

-- Who buys: three in ten are guests, the others come as often as they are loyal and not before they joined.
CREATE TEMP TABLE demo_draw_customer ON COMMIT DROP AS
SELECT i, joined, taste, sum(pull) OVER (ORDER BY joined, i) AS upto FROM demo_customer;
CREATE INDEX ON demo_draw_customer (upto);
CREATE INDEX ON demo_draw_customer (joined, i);
ANALYZE demo_draw_customer;
UPDATE demo_order o SET customer_id = c.i, taste = c.taste
  FROM (SELECT o.n, (SELECT d.i FROM demo_draw_customer d
		WHERE d.upto >= pg_temp.chance('who ' || o.key) * (SELECT x.upto FROM demo_draw_customer x WHERE x.joined <= greatest(o.age, 0.002)
			ORDER BY x.joined DESC, x.i DESC LIMIT 1)
		ORDER BY d.upto LIMIT 1) AS i
	  FROM demo_order o WHERE pg_temp.chance('guest ' || o.key) >= 0.3) w
  JOIN demo_customer c ON c.i = w.i
 WHERE o.n = w.n AND c.joined <= o.age;
UPDATE demo_order SET guest = pg_temp.between(1, 100000, 'guest id ' || key), taste = pg_temp.pick('{luminaires,mobilier,decoration,textile,rangement}', 'guest taste ' || key)
 WHERE customer_id IS NULL;

-- What they buy: drawn by popularity, half of the time from the shelf the customer loves, with the season; a second thing often belongs to the
-- first: the same collection, or what people put beside it.
CREATE TEMP TABLE demo_pair (kind text, beside text) ON COMMIT DROP;
INSERT INTO demo_pair
SELECT * FROM (VALUES ('pendant', 'table'), ('table', 'chair'), ('sofa', 'cushion'), ('cushion', 'plaid'), ('bed', 'bed-linen'), ('bed-linen', 'nightstand'),
	('desk', 'desk-lamp'), ('armchair', 'floor-lamp'), ('mirror', 'console'), ('curtain', 'cushion'), ('towel', 'basket'), ('frame', 'poster'), ('plant-pot', 'vase'),
	('candle', 'candle-holder'), ('tablecloth', 'candle-holder'), ('shelf', 'box'), ('coat-rack', 'shoe-rack'), ('hook', 'mirror'), ('rug', 'pouf'), ('vase', 'candle'),
	('coffee-table', 'tray'), ('lamp', 'nightstand'), ('string-lights', 'candle'), ('bookcase', 'box'), ('dresser', 'mirror'), ('lantern', 'string-lights')) AS v(a, b)
UNION SELECT b, a FROM (VALUES ('pendant', 'table'), ('table', 'chair'), ('sofa', 'cushion'), ('cushion', 'plaid'), ('bed', 'bed-linen'), ('desk', 'desk-lamp'),
	('armchair', 'floor-lamp'), ('mirror', 'console'), ('frame', 'poster'), ('candle', 'candle-holder'), ('coat-rack', 'shoe-rack'), ('plant-pot', 'vase')) AS v(a, b);

-- Pools to draw from, each with running sums of popularity.
CREATE TEMP TABLE demo_pool (pool text, n bigint, upto double precision) ON COMMIT DROP;
INSERT INTO demo_pool
SELECT pool, n, sum(pull) OVER (PARTITION BY pool ORDER BY n)
  FROM (SELECT 'month ' || m AS pool, n, pull * CASE
			WHEN season = 'autumn' AND m BETWEEN 9 AND 12 THEN 1.8 WHEN season = 'christmas' AND m IN (11, 12) THEN 3.2
			WHEN season = 'winter' AND m IN (10, 11, 12, 1, 2) THEN 2.2 WHEN season = 'spring' AND m BETWEEN 3 AND 6 THEN 2.0
			WHEN season = 'summer' AND m BETWEEN 5 AND 8 THEN 2.4 WHEN season = 'school' AND m IN (8, 9) THEN 2.2
			WHEN season = 'january' AND m = 1 THEN 2.6 WHEN season = 'sales' AND m IN (1, 7) THEN 1.9 ELSE 1 END AS pull
		  FROM demo_product, generate_series(1, 12) AS m
	UNION ALL SELECT 'shelf ' || shelf, n, pull FROM demo_product
	UNION ALL SELECT 'kind ' || code, n, pull FROM demo_product
	UNION ALL SELECT 'collection ' || collection, n, pull FROM demo_product
	UNION ALL SELECT 'old', n, pull FROM demo_product WHERE since < pg_temp.demo_now() - interval '735 days') x;
CREATE INDEX ON demo_pool (pool, upto);
CREATE TEMP TABLE demo_pool_sum ON COMMIT DROP AS SELECT pool, max(upto) AS total FROM demo_pool GROUP BY pool;
ANALYZE demo_pool;

-- The product of that pool, or one that was there already when the wanted one is newer than the order.
CREATE FUNCTION pg_temp.draw(wanted text, at timestamptz, key text) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	got bigint;
BEGIN
	SELECT p.n INTO got FROM demo_pool p
	 WHERE p.pool = wanted AND p.upto >= pg_temp.chance(key) * (SELECT total FROM demo_pool_sum s WHERE s.pool = wanted)
	 ORDER BY p.upto LIMIT 1;
	IF got IS NULL OR (SELECT d.since > at FROM demo_product d WHERE d.n = got) THEN
		SELECT p.n INTO got FROM demo_pool p
		 WHERE p.pool = 'old' AND p.upto >= pg_temp.chance('again ' || key) * (SELECT total FROM demo_pool_sum s WHERE s.pool = 'old')
		 ORDER BY p.upto LIMIT 1;
	END IF;
	RETURN got;
END
$$;
CREATE INDEX ON demo_product (n);
ANALYZE demo_product;

CREATE TEMP TABLE demo_line (n bigint, i integer, product bigint) ON COMMIT DROP;
INSERT INTO demo_line
SELECT o.n, 1, pg_temp.draw(CASE WHEN pg_temp.chance('shelf? ' || o.key) < 0.45 THEN 'shelf ' || o.taste ELSE 'month ' || extract(month FROM o.day) END,
	o.placed_at, 'first ' || o.key)
  FROM demo_order o;
INSERT INTO demo_line
SELECT o.n, g.i, pg_temp.draw(
	CASE WHEN pg_temp.chance('how ' || o.key || g.i) < 0.42 THEN coalesce('kind ' || b.beside, 'collection ' || p.collection)
		WHEN pg_temp.chance('how ' || o.key || g.i) < 0.66 THEN 'collection ' || p.collection
		ELSE 'month ' || extract(month FROM o.day) END, o.placed_at, 'next ' || o.key || g.i)
  FROM demo_order o JOIN demo_line l ON l.n = o.n JOIN demo_product p ON p.n = l.product
  CROSS JOIN generate_series(2, 5) AS g(i)
  LEFT JOIN LATERAL (SELECT d.beside FROM demo_pair d WHERE d.kind = p.code ORDER BY pg_temp.chance(d.beside || o.key || g.i) LIMIT 1) b ON true
 WHERE pg_temp.chance('size ' || o.key) < ('{1,0.56,0.28,0.12,0.05}'::float8[])[g.i];

-- Lines with sizes and prices. Older orders were a little cheaper; in the sales half of the things were reduced.
CREATE TEMP TABLE demo_item ON COMMIT DROP AS
WITH line AS (
	SELECT DISTINCT ON (l.n, l.product) l.n, l.i, o.key, o.age, o.sales, p.id AS product_id, d.code, d.shelf, d.several, p.sku, p.name, p.price_minor,
		p.sale_price_minor, o.days_ago, v.id AS variant_id, v.sku AS variant_sku, v.options, v.price_minor AS variant_price, v.sale_price_minor AS variant_sale
	  FROM demo_line l JOIN demo_order o ON o.n = l.n JOIN demo_product d ON d.n = l.product JOIN shop.products p ON p.id = l.product
	  LEFT JOIN LATERAL (SELECT w.* FROM shop.product_variants w WHERE w.product_id = p.id
		ORDER BY pg_temp.chance('variant ' || o.key || w.sku) LIMIT 1) v ON true
	 ORDER BY l.n, l.product, l.i
)
SELECT n, i, key, product_id, variant_id, code, shelf, coalesce(variant_sku, sku) AS sku, name, coalesce(options, '{}') AS options,
	CASE
		WHEN sales AND pg_temp.chance('reduced ' || key || sku) < 0.5 THEN
			pg_temp.nice_price(coalesce(variant_price, price_minor) / 100.0 * (0.7 + 0.15 * pg_temp.chance('by ' || key || sku)))
		WHEN days_ago < 30 THEN coalesce(variant_sale, CASE WHEN variant_price IS NULL THEN sale_price_minor END, variant_price, price_minor)
		ELSE pg_temp.nice_price(coalesce(variant_price, price_minor) / 100.0 * (0.955 + 0.045 * age)) END AS price,
	CASE WHEN several = 1 THEN 1
		WHEN several >= 4 AND pg_temp.chance('set ' || key || sku) < 0.5 THEN (ARRAY[2, 2, 4, several])[pg_temp.between(1, 4, 'set of ' || key || sku)]
		WHEN pg_temp.chance('two ' || key || sku) < 0.25 THEN 2 ELSE 1 END AS quantity
  FROM line;

-- Orders. The age of an order decides how far it has come.
CREATE TEMP TABLE demo_placed ON COMMIT DROP AS
WITH sum AS (
	SELECT n, sum(price * quantity)::bigint AS subtotal, sum(quantity)::integer AS units, bool_or(code IN ('table', 'sofa', 'bed', 'sideboard', 'wardrobe', 'dresser',
		'bookcase', 'cabinet', 'desk', 'armchair')) AS bulky, min(shelf) FILTER (WHERE i = 1) AS shelf
	  FROM demo_item GROUP BY n
), state AS (
	SELECT o.*, s.subtotal, s.units, s.bulky, s.shelf AS first_shelf,
		CASE WHEN pg_temp.chance('coupon ' || o.key) < 0.06 THEN round(s.subtotal * 0.10)::bigint ELSE 0 END AS discount,
		CASE WHEN s.bulky THEN 3900 WHEN s.subtotal >= 8000 THEN 0 ELSE 590 END AS shipping,
		CASE
			WHEN o.fate < 0.045 AND o.days_ago > 0.2 THEN 'CANCELLED'
			WHEN o.days_ago < 1 THEN CASE WHEN o.fate < 0.35 THEN 'PENDING' WHEN o.fate < 0.75 THEN 'PAID' ELSE 'PROCESSING' END
			WHEN o.days_ago < 3 THEN CASE WHEN o.fate < 0.10 THEN 'PENDING' WHEN o.fate < 0.30 THEN 'PAID' WHEN o.fate < 0.70 THEN 'PROCESSING' ELSE 'SHIPPED' END
			WHEN o.days_ago < 7 THEN CASE WHEN o.fate < 0.15 THEN 'PROCESSING' WHEN o.fate < 0.70 THEN 'SHIPPED' ELSE 'DELIVERED' END
			WHEN o.days_ago < 14 AND o.fate > 0.90 THEN 'SHIPPED'
			ELSE 'DELIVERED' END AS status
	  FROM demo_order o JOIN sum s ON s.n = o.n
)
SELECT s.*, row_number() OVER (ORDER BY placed_at, key) AS id,
	'ORD-' || upper(substr(translate(md5('order ' || key), '01', 'gh'), 1, 8)) AS number,
	CASE WHEN status IN ('PAID', 'PROCESSING', 'SHIPPED', 'DELIVERED') THEN placed_at + make_interval(secs => 60 + 600 * pg_temp.chance('pay ' || key)) END AS paid_at,
	CASE WHEN status IN ('SHIPPED', 'DELIVERED') THEN placed_at + make_interval(secs => 86400 * least(days_ago * 0.6, 0.8 + 1.9 * pg_temp.chance('ship ' || key))) END AS shipped_at,
	CASE WHEN status = 'DELIVERED' THEN placed_at + make_interval(secs => 86400 * least(days_ago * 0.95, 2.9 + CASE WHEN bulky THEN 6 ELSE 3 END * pg_temp.chance('deliver ' || key))) END AS delivered_at,
	CASE WHEN status = 'CANCELLED' THEN placed_at + make_interval(secs => 86400 * least(days_ago * 0.5, 0.1 + 1.5 * pg_temp.chance('cancel ' || key))) END AS cancelled_at
  FROM state s;

INSERT INTO shop.orders (id, customer_id, subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor, created_at, updated_at, paid_at, shipped_at,
	delivered_at, cancelled_at, item_count, number, status, currency, charge_code, channel, email, shipping_address, cancel_reason)
OVERRIDING SYSTEM VALUE
SELECT p.id, p.customer_id, subtotal, discount, shipping, round((subtotal - discount + shipping) / 6.0)::bigint, subtotal - discount + shipping, placed_at,
	coalesce(p.delivered_at, p.cancelled_at, p.shipped_at, p.paid_at, placed_at), p.paid_at, p.shipped_at, p.delivered_at, p.cancelled_at, units, p.number, p.status, 'EUR',
	'DEPT00' || array_position('{luminaires,mobilier,decoration,textile,rangement}', first_shelf),
	CASE WHEN pg_temp.chance('channel ' || key) < 0.74 - 0.1 * age THEN 'web'
		WHEN pg_temp.chance('channel ' || key) < 0.84 THEN 'assistant' WHEN pg_temp.chance('channel ' || key) < 0.91 THEN 'chat'
		WHEN pg_temp.chance('channel ' || key) < 0.96 THEN 'whatsapp' ELSE 'instagram' END,
	CASE WHEN p.customer_id IS NULL THEN format('guest%s@example.com', guest) END,
	coalesce(c.address, g.address || jsonb_build_object('name', pg_temp.pick('{C. Morel,A. Perrin,L. Faure,M. Aubert,S. Vidal,J. Brun,N. Royer,E. Tessier}', 'guest ' || guest))),
	CASE WHEN p.status = 'CANCELLED' THEN pg_temp.pick('{changed_mind,ordered_twice,delivery_too_long,found_elsewhere,payment_failed}', 'why ' || key) END
  FROM demo_placed p
  LEFT JOIN demo_customer c ON c.i = p.customer_id
  LEFT JOIN demo_customer g ON p.customer_id IS NULL AND g.i = 1 + p.guest % 300
 ORDER BY p.id;
SELECT setval(pg_get_serial_sequence('shop.orders', 'id'), (SELECT max(id) FROM shop.orders));

INSERT INTO shop.order_items (order_id, product_id, variant_id, unit_price_minor, total_minor, quantity, position, sku, name, options)
SELECT p.id, i.product_id, i.variant_id, i.price, i.price * i.quantity, i.quantity, row_number() OVER (PARTITION BY p.id ORDER BY i.i), i.sku, i.name, i.options
  FROM demo_item i JOIN demo_placed p ON p.n = i.n
 ORDER BY p.id, i.i;

INSERT INTO shop.shipments (order_id, created_at, shipped_at, estimated_at, delivered_at, status, carrier, tracking_number, tracking_url, events)
SELECT s.id, s.shipped_at - interval '3 hours', s.shipped_at, s.shipped_at + CASE WHEN bulky THEN interval '6 days' ELSE interval '3 days' END, s.delivered_at,
	CASE WHEN s.delivered_at IS NOT NULL THEN 'DELIVERED' WHEN s.shipped_at < pg_temp.demo_now() - interval '2 days' AND s.fate > 0.6 THEN 'OUT_FOR_DELIVERY' ELSE 'IN_TRANSIT' END,
	carrier, tracking, 'https://track.example.com/' || tracking,
	(SELECT jsonb_agg(e ORDER BY e->>'at') FROM unnest(ARRAY[
		jsonb_build_object('at', souk.rfc3339(s.shipped_at), 'status', 'picked_up', 'place', 'Orléans'),
		jsonb_build_object('at', souk.rfc3339(s.shipped_at + (coalesce(s.delivered_at, pg_temp.demo_now()) - s.shipped_at) * 0.6), 'status', 'in_transit', 'place',
			o.shipping_address->>'city'),
		CASE WHEN s.delivered_at IS NOT NULL THEN jsonb_build_object('at', souk.rfc3339(s.delivered_at), 'status', 'delivered', 'place', o.shipping_address->>'city') END]) AS e
	  WHERE e IS NOT NULL)
  FROM (SELECT p.*, x.carrier, CASE x.carrier
			WHEN 'Colissimo' THEN '6A' || lpad((pg_temp.chance('track ' || key) * 1e11)::bigint::text, 11, '0')
			WHEN 'Chronopost' THEN 'XY' || lpad((pg_temp.chance('track ' || key) * 1e9)::bigint::text, 9, '0') || 'FR'
			WHEN 'Mondial Relay' THEN lpad((pg_temp.chance('track ' || key) * 1e8)::bigint::text, 8, '0')
			WHEN 'DHL' THEN 'JD01' || lpad((pg_temp.chance('track ' || key) * 1e14)::bigint::text, 14, '0')
			ELSE '1G' || upper(substr(md5('track ' || key), 1, 10)) END AS tracking
		  FROM demo_placed p, LATERAL (SELECT CASE WHEN p.bulky THEN 'Geodis'
			ELSE pg_temp.pick('{Colissimo,Colissimo,Colissimo,Mondial Relay,Chronopost,DHL}', 'carrier ' || p.key) END AS carrier) x
		 WHERE p.shipped_at IS NOT NULL) s
  JOIN shop.orders o ON o.id = s.id
 ORDER BY s.id;
