-- Lists of products without a text query: filters, order, pages.

-- Does a price lie between two amounts of another currency, both included? Compared exactly, at the owner's rates to the shop's currency base;
-- false without a rate.
CREATE OR REPLACE FUNCTION shop.price_within(minor bigint, currency text, asked text, base text, low numeric, high numeric) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT coalesce((SELECT (low IS NULL OR souk.money(minor, currency) * a.rate >= low * p.rate)
		AND (high IS NULL OR souk.money(minor, currency) * a.rate <= high * p.rate)
	  FROM (SELECT CASE WHEN asked = base OR asked = currency THEN 1 ELSE (SELECT rate FROM shop.currency_rates r WHERE r.currency = asked) END AS rate) a,
		(SELECT CASE WHEN asked = currency OR price_within.currency = base THEN 1
			ELSE (SELECT rate FROM shop.currency_rates r WHERE r.currency = price_within.currency) END AS rate) p), false)
$$;

-- Has a product all these attributes? It has one when every word of the value is in its own.
CREATE OR REPLACE FUNCTION shop.has_attributes(attributes jsonb, wanted jsonb) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT NOT EXISTS (
	SELECT FROM jsonb_each_text(wanted) w, regexp_split_to_table(souk.fold(w.value), '[^[:alnum:]]+') word
	 WHERE word <> '' AND NOT EXISTS (
		SELECT FROM jsonb_each_text(attributes) a
		 WHERE souk.fold(a.key) = souk.fold(w.key) AND word = ANY (regexp_split_to_array(souk.fold(a.value), '[^[:alnum:]]+'))))
$$;

-- The conditions of a list as SQL over shop.products p; $1 are the arguments, $2 the ids of the wanted category and of those
-- below it. Only what is asked for is there, so that each kind of list gets its own plan; no argument's text ever becomes SQL.
CREATE OR REPLACE FUNCTION shop.product_conditions(args jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT concat_ws(' AND ',
	'p.status = ''active''',
	CASE WHEN args->>'category' IS NOT NULL THEN 'p.category_id = ANY ($2)' END,
	CASE WHEN args->>'minPrice' IS NOT NULL AND args->>'currency' IS NULL THEN
		'souk.money(coalesce(p.sale_price_minor, p.price_minor), p.currency) >= ($1->>''minPrice'')::numeric' END,
	CASE WHEN args->>'maxPrice' IS NOT NULL AND args->>'currency' IS NULL THEN
		'souk.money(coalesce(p.sale_price_minor, p.price_minor), p.currency) <= ($1->>''maxPrice'')::numeric' END,
	CASE WHEN coalesce(args->>'minPrice', args->>'maxPrice') IS NOT NULL AND args->>'currency' IS NOT NULL THEN
		'shop.price_within(coalesce(p.sale_price_minor, p.price_minor), p.currency, $1->>''currency'', $1->>''base'', '
		'($1->>''minPrice'')::numeric, ($1->>''maxPrice'')::numeric)' END,
	CASE WHEN args->'attributes' IS NOT NULL THEN 'shop.has_attributes(p.attributes, $1->''attributes'')' END,
	CASE WHEN args->>'brand' IS NOT NULL THEN 'souk.fold(p.brand) = souk.fold($1->>''brand'')' END,
	CASE WHEN args->>'colour' IS NOT NULL THEN
		'(souk.fold(p.colour) = souk.fold($1->>''colour'') OR p.colours <> ''{}'' AND EXISTS (SELECT FROM '
		'jsonb_each_text(p.colours) x WHERE souk.fold(x.value) = souk.fold($1->>''colour'')))' END,
	CASE WHEN args->>'featured' = 'true' THEN 'p.featured' END,
	CASE WHEN args->>'inStock' = 'true' THEN 'p.stock > 0' END,
	CASE WHEN args->>'lowStock' = 'true' THEN 'p.stock <= ($1->>''threshold'')::integer' END,
	CASE WHEN args->>'lowStock' = 'true' AND (args->>'threshold')::integer <= 20 THEN 'p.stock <= 20' END,
	CASE WHEN args->>'words' IS NOT NULL THEN
		'p.id IN (SELECT s.product_id FROM shop.product_search s WHERE s.doc @@ (SELECT shop.search_all($1->>''words'')) '
		'UNION SELECT k.id FROM shop.products k WHERE upper(k.sku) LIKE upper(replace(replace(replace($1->>''words'', ''\'', ''\\''), ''%'', ''\%''), ''_'', ''\_'')) || ''%'')' END)
$$;

-- The order of a list. Every order ends with the key, so that pages do not overlap.
CREATE OR REPLACE FUNCTION shop.product_order(sort_by text, otherwise text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE sort_by
	WHEN 'price-asc' THEN 'coalesce(p.sale_price_minor, p.price_minor) ASC NULLS LAST, p.id'
	WHEN 'price-desc' THEN 'coalesce(p.sale_price_minor, p.price_minor) DESC NULLS LAST, p.id'
	WHEN 'newest' THEN 'p.created_at DESC, p.id DESC'
	WHEN 'popular' THEN 'p.sold_count DESC, p.id'
	WHEN 'stock' THEN 'p.stock, p.id'
	WHEN 'id' THEN 'p.id'
	ELSE otherwise END
$$;

-- category, minPrice, maxPrice, brand, colour, featured, inStock, lowStock with threshold, words, sortBy (popular unless given), limit, offset: all
-- optional -> {"ids": ["12", ...], "total": n}; total is exact.
CREATE OR REPLACE FUNCTION shop.list_ids(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	conditions text := shop.product_conditions(args);
	category bigint[];
	ids json;
	total bigint;
BEGIN
	IF args->>'category' IS NOT NULL THEN
		category := shop.category_tree(args->>'category');
	END IF;
	EXECUTE 'SELECT count(*) FROM shop.products p WHERE ' || conditions INTO total USING args, category;
	EXECUTE 'SELECT coalesce(json_agg(id::text), ''[]'') FROM (SELECT p.id FROM shop.products p WHERE ' || conditions
		|| ' ORDER BY ' || shop.product_order(args->>'sortBy', shop.product_order('popular', NULL)) || ' OFFSET $3 LIMIT $4) x'
		INTO ids
		USING args, category, coalesce((args->>'offset')::bigint, 0), coalesce((args->>'limit')::bigint, 10);
	RETURN json_build_object('ids', ids, 'total', total);
END
$$;

-- The ids of a list_ids or search_ids result.
CREATE OR REPLACE FUNCTION shop.found_ids(result json) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN ARRAY(SELECT json_array_elements_text(result->'ids')::bigint);
END
$$;

-- Where the next page starts; NULL on the last.
CREATE OR REPLACE FUNCTION souk.cursor_next(start integer, page_size integer, total bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN start + page_size < total AND start + page_size < 100000 THEN 'o' || (start + page_size) END $$;

-- Products like this one: bought together, same category, brand, colour, material, collection and price, best first. NULL when there is
-- no such product. The category and its siblings give at most 320 candidates, however large the catalogue is.
CREATE OR REPLACE FUNCTION shop.similar_ids(wanted bigint, how_many integer) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	p shop.products;
	near bigint[];
	found bigint[];
BEGIN
	SELECT * INTO p FROM shop.products WHERE id = wanted AND status = 'active';
	IF p.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT array_agg(s.id) INTO near
	  FROM shop.categories c JOIN shop.categories s ON s.parent_id = c.parent_id AND s.id <> c.id
	 WHERE c.id = p.category_id;
	WITH candidate AS (
		(SELECT * FROM shop.products q WHERE q.category_id = p.category_id AND q.status = 'active' AND q.id > p.id
		  ORDER BY q.id LIMIT 120)
		UNION ALL
		(SELECT * FROM shop.products q WHERE q.category_id = p.category_id AND q.status = 'active' AND q.id < p.id
		  ORDER BY q.id DESC LIMIT 120)
		UNION ALL
		(SELECT * FROM shop.products q WHERE q.category_id = ANY (near) AND q.status = 'active' ORDER BY q.id LIMIT 80)
	)
	SELECT array_agg(id ORDER BY score DESC, id) INTO found
	  FROM (SELECT q.id,
			CASE WHEN q.category_id = p.category_id THEN 3 ELSE 0 END
			+ CASE WHEN q.brand = p.brand THEN 1 ELSE 0 END
			+ CASE WHEN q.colour = p.colour THEN 1 ELSE 0 END
			+ CASE WHEN q.attributes->>'material' = p.attributes->>'material' THEN 1 ELSE 0 END
			+ CASE WHEN q.attributes->>'collection' = p.attributes->>'collection' THEN 1 ELSE 0 END
			+ CASE WHEN q.stock > 0 THEN 0.5 ELSE 0 END
			+ coalesce((SELECT 2 * b.score FROM shop.product_pairs b WHERE b.product_id = p.id AND b.other_id = q.id), 0)
			- coalesce(least(2, abs(ln(greatest(shop.pays(q), 1)::float8 / greatest(shop.pays(p), 1)))), 1) AS score
		  FROM candidate q
		 ORDER BY 2 DESC, 1 LIMIT how_many) best;
	RETURN coalesce(found, '{}');
END
$$;

-- A time from a query: 2025-06-09, or RFC 3339 with offset. A date as the end of a period means the end of that day (UTC).
CREATE OR REPLACE FUNCTION souk.time_arg(value text, argument text, is_end boolean) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF value IS NULL THEN
		RETURN NULL;
	ELSIF value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
		RETURN (value::date + CASE WHEN is_end THEN 1 ELSE 0 END)::timestamp AT TIME ZONE 'UTC';
	ELSIF value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})$' THEN
		RETURN value::timestamptz;
	END IF;
	PERFORM souk.fail('SK400', argument || ': must be a date (2025-06-09) or a time (2025-06-09T09:15:00Z)');
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value THEN
	PERFORM souk.fail('SK400', argument || ': there is no such date');
END
$$;
