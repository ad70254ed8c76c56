-- Categories, products and variants. Each kind gets its products from as many different collections, so no name comes twice.
INSERT INTO shop.categories (parent_id, position, slug, name, names)
SELECT NULL, row_number() OVER (ORDER BY array_position('{luminaires,mobilier,decoration,textile,rangement}', c.code)), c.code, c.fr,
	jsonb_build_object('en', c.en, 'de', c.de, 'es', c.es)
  FROM demo_category c WHERE c.parent IS NULL
 ORDER BY 2;

INSERT INTO shop.categories (parent_id, position, slug, name, names)
SELECT p.id, row_number() OVER (PARTITION BY p.id ORDER BY c.code), c.code, c.fr, jsonb_build_object('en', c.en, 'de', c.de, 'es', c.es)
  FROM demo_category c JOIN shop.categories p ON p.slug = c.parent
 ORDER BY p.position, 2;

CREATE TEMP TABLE demo_product ON COMMIT DROP AS
WITH one AS (
	SELECT k.*, c.parent AS shelf, l.name AS collection, l.style, row_number() OVER (PARTITION BY k.code
		ORDER BY pg_temp.chance('collection ' || k.code || l.name), l.name) AS i
	  FROM demo_kind k JOIN demo_category c ON c.code = k.category CROSS JOIN demo_collection l
), made AS (
	SELECT o.*, o.code || ' ' || o.collection AS key,
		pg_temp.pick(o.materials, 'material ' || o.code || o.collection) AS material,
		pg_temp.pick(ARRAY(SELECT b.name FROM demo_brand b WHERE o.shelf = ANY (b.shelves) ORDER BY b.name), 'brand ' || o.shelf || o.collection) AS brand
	  FROM one o WHERE o.i <= o.quota
), dressed AS (
	SELECT m.*, t.fr AS material_fr, t.en AS material_en, t.gender, t.factor AS material_factor, t.fact_fr, t.fact_en, t.care_fr, t.care_en,
		b.factor AS brand_factor, b.origin_fr, b.origin_en, s.en AS style_en, s.line_fr, s.line_en,
		pg_temp.pick(t.colours, 'colour ' || m.key) AS colour_code,
		m.sizes IS NOT NULL AND (pg_temp.chance('sizes ' || m.key) < 0.7 OR m.code IN ('bed-linen', 'rug', 'sofa', 'bed')) AS varies
	  FROM made m JOIN demo_material t ON t.code = m.material JOIN demo_brand b ON b.name = m.brand JOIN demo_style s ON s.fr = m.style
), priced AS (
	SELECT d.*, c.m AS colour_m, c.f AS colour_f, c.en AS colour_en, c.de AS colour_de, c.es AS colour_es, c.hex,
		pg_temp.nice_price(least(d.hi * 1.3, (d.lo + (d.hi - d.lo) * power(pg_temp.chance('price ' || d.key), 1.6))
			* sqrt(d.material_factor) * d.brand_factor)) AS price,
		CASE
			WHEN d.varies THEN array_to_string(d.sizes, ', ')
			WHEN d.form = 'ball' THEN format('Ø %s × H %s cm', pg_temp.between(d.a[1], d.a[2], 'a ' || d.key), pg_temp.between(d.b[1], d.b[2], 'b ' || d.key))
			WHEN d.form = 'box' THEN format('L %s × P %s × H %s cm', pg_temp.between(d.a[1], d.a[2], 'a ' || d.key),
				pg_temp.between(d.b[1], d.b[2], 'b ' || d.key), pg_temp.between(d.c[1], d.c[2], 'c ' || d.key))
			WHEN d.sizes IS NOT NULL THEN d.sizes[1]
			ELSE format('%s × %s cm', round(pg_temp.between(d.a[1], d.a[2], 'a ' || d.key), -1), round(pg_temp.between(d.b[1], d.b[2], 'b ' || d.key), -1))
		END AS dimensions
	  FROM dressed d JOIN demo_colour c ON c.code = d.colour_code
)
SELECT row_number() OVER (ORDER BY array_position('{luminaires,mobilier,decoration,textile,rangement}', p.shelf), p.i, p.code) AS n,
	p.*, pg_temp.chance('discount ' || p.key) AS discount,
	p.weight * exp(2.2 * (pg_temp.chance('popular ' || p.key) - 0.5)) * power(9000.0 / p.price, 0.3) AS pull,
	CASE WHEN p.code = 'poster' THEN format('%s %s, fond %s', p.fr, p.collection, p.colour_m)
		ELSE format('%s %s en %s%s', p.fr, p.collection, p.material_fr,
			CASE WHEN p.colour_code IN ('naturel', 'dore') THEN '' ELSE ' ' || CASE p.gender WHEN 'm' THEN p.colour_m ELSE p.colour_f END END)
		END AS name_fr,
	CASE WHEN p.code = 'poster' THEN format('%s %s on %s', p.collection, p.en, p.colour_en)
		ELSE format('%s %s in %s%s', p.collection, p.en, CASE WHEN p.colour_code = 'dore' THEN '' ELSE p.colour_en || ' ' END, p.material_en)
		END AS name_en,
	pg_temp.demo_now() - make_interval(secs => 86400 * CASE
		WHEN pg_temp.chance('new ' || p.key) < 0.22 THEN 3 + 690 * pg_temp.chance('since ' || p.key)
		ELSE 740 + 360 * pg_temp.chance('since ' || p.key) END) AS since
  FROM priced p;

INSERT INTO shop.products (id, category_id, price_minor, sale_price_minor, created_at, updated_at, stock, featured, currency, lang, sku, slug, name,
	brand, colour, description, names, colours, descriptions, images, attributes)
OVERRIDING SYSTEM VALUE
SELECT d.n, c.id, d.price,
	CASE WHEN d.discount < 0.15 AND pg_temp.nice_price(d.price / 100.0 * (0.9 - 2 * d.discount)) < d.price
		THEN pg_temp.nice_price(d.price / 100.0 * (0.9 - 2 * d.discount)) END,
	d.since, greatest(d.since, pg_temp.demo_now() - make_interval(secs => 86400 * 30 * pg_temp.chance('touched ' || d.key))),
	CASE
		WHEN pg_temp.chance('stock ' || d.key) < 0.06 THEN 0
		WHEN pg_temp.chance('stock ' || d.key) < 0.17 THEN pg_temp.between(1, 5, 'few ' || d.key)
		ELSE pg_temp.between(6, greatest(12, least(140, 400000 / d.price::integer)), 'many ' || d.key) END,
	pg_temp.chance('featured ' || d.key) < 0.07, 'EUR', 'fr',
	format('%s-%s', upper(left(d.shelf, 3)), lpad(d.n::text, 4, '0')), souk.slug(d.name_fr), d.name_fr, d.brand, d.colour_m,
	concat_ws(' ', format(i.fr[1 + (pg_temp.chance('intro ' || d.key) * 2)::integer % 2], d.collection), d.fact_fr, d.line_fr, d.extra_fr,
		CASE WHEN d.varies THEN 'Tailles au choix : ' ELSE 'Dimensions : ' END || d.dimensions || '.', d.care_fr, d.origin_fr),
	jsonb_build_object('en', d.name_en),
	jsonb_build_object('en', d.colour_en, 'de', d.colour_de, 'es', d.colour_es),
	jsonb_build_object('en', concat_ws(' ', format(i.en[1 + (pg_temp.chance('intro ' || d.key) * 2)::integer % 2], d.collection), d.fact_en, d.line_en, d.extra_en,
		CASE WHEN d.varies THEN 'Sizes: ' ELSE 'Dimensions: ' END
		|| replace(replace(replace(replace(replace(d.dimensions, 'L ', 'W '), 'P ', 'D '), 'places', 'seats'), 'Assise', 'Seat'), 'Angle', 'Corner') || '.',
		d.care_en, d.origin_en)),
	jsonb_build_array(jsonb_build_object('url', '/img/products/' || souk.slug(d.name_fr) || '.svg', 'alt', d.name_fr)),
	jsonb_build_object('kind', d.code, 'colourHex', d.hex, 'material', d.material_fr, 'style', d.style, 'collection', d.collection, 'dimensions', d.dimensions)
  FROM demo_product d JOIN shop.categories c ON c.slug = d.category JOIN demo_intro i ON i.kind = d.code
 ORDER BY d.n;
SELECT setval(pg_get_serial_sequence('shop.products', 'id'), (SELECT max(id) FROM shop.products));

-- Sizes. The first costs what the product costs; stock is spread, the sum becomes the product's.
INSERT INTO shop.product_variants (product_id, price_minor, sale_price_minor, created_at, updated_at, stock, position, sku, options)
SELECT p.id, CASE WHEN s.i > 1 THEN pg_temp.nice_price(p.price_minor / 100.0 * d.factors[s.i]) END,
	CASE WHEN s.i > 1 AND p.sale_price_minor IS NOT NULL THEN
		least(pg_temp.nice_price(p.sale_price_minor / 100.0 * d.factors[s.i]), pg_temp.nice_price(p.price_minor / 100.0 * d.factors[s.i]) - 100) END,
	p.created_at, p.updated_at,
	CASE WHEN p.stock = 0 THEN 0
		WHEN pg_temp.chance('gone ' || p.sku || s.i) < 0.08 THEN 0
		ELSE greatest(1, (p.stock * (0.2 + 0.5 * pg_temp.chance('share ' || p.sku || s.i)))::integer) END,
	s.i, p.sku || '-' || s.i, jsonb_build_object('Taille', s.size)
  FROM demo_product d JOIN shop.products p ON p.id = d.n, unnest(d.sizes) WITH ORDINALITY AS s(size, i)
 WHERE d.varies
 ORDER BY p.id, s.i;
