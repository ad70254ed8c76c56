-- What staff change in the catalogue. The web role cannot write it; these functions can, and let nobody but the shop itself. Every change is
-- written down in souk.audit with what was and what is.

-- A product by id, SKU or slug, whatever its status.
CREATE OR REPLACE FUNCTION shop.product_any(wanted text) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN coalesce((SELECT p.id FROM shop.products p WHERE p.id = CASE WHEN wanted ~ '^[0-9]{1,18}$' THEN wanted::bigint END),
		(SELECT p.id FROM shop.products p WHERE p.sku = wanted), (SELECT p.id FROM shop.products p WHERE p.slug = wanted),
		(SELECT v.product_id FROM shop.product_variants v WHERE v.sku = wanted));
END
$$;

-- Warn at or below so many units.
CREATE OR REPLACE FUNCTION shop.low_at(p shop.products) RETURNS integer
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN coalesce(p.low_stock, souk.setting('shop.low_stock', '5')::integer);
END
$$;

-- A product with everything that staff can change; callers strip NULLs.
CREATE OR REPLACE FUNCTION shop.admin_product(p shop.products) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN json_build_object(
		'id', p.id::text, 'sku', p.sku, 'slug', p.slug, 'status', p.status, 'name', p.name, 'locale', p.lang, 'description', p.description,
		'names', nullif(p.names, '{}'), 'descriptions', nullif(p.descriptions, '{}'),
		'price', souk.money(p.price_minor, p.currency), 'salePrice', souk.money(p.sale_price_minor, p.currency), 'currency', p.currency,
		'stock', p.stock, 'lowStock', p.low_stock, 'category', (SELECT c.slug FROM shop.categories c WHERE c.id = p.category_id),
		'brand', p.brand, 'colour', p.colour, 'featured', p.featured, 'images', p.images, 'attributes', p.attributes,
		'variants', shop.variants(p.id, p.price_minor, p.sale_price_minor, p.currency),
		'createdAt', souk.rfc3339(p.created_at), 'updatedAt', souk.rfc3339(p.updated_at), 'deletedAt', souk.rfc3339(p.deleted_at));
END
$$;

-- Products as rows of a list, in the order of ids.
CREATE OR REPLACE FUNCTION shop.admin_cards(ids bigint[], lang text) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT json_strip_nulls(coalesce(json_agg(json_build_object('id', p.id::text, 'sku', p.sku, 'slug', p.slug, 'name', coalesce(p.names->>admin_cards.lang, p.name),
			'status', p.status, 'price', souk.money(p.price_minor, p.currency), 'salePrice', souk.money(p.sale_price_minor, p.currency), 'currency', p.currency,
			'stock', p.stock, 'low', p.stock <= shop.low_at(p), 'variants', p.variant_count, 'category', c.slug,
			'updatedAt', souk.rfc3339(p.updated_at)) ORDER BY w.place), '[]'))
		FROM unnest(ids) WITH ORDINALITY AS w(id, place) JOIN shop.products p ON p.id = w.id LEFT JOIN shop.categories c ON c.id = p.category_id);
END
$$;

-- args: status (active, draft, deleted, all), query (words of the name, SKU or slug), category, inStock, lowStock, minPrice, maxPrice, sortBy,
-- limit, cursor -> {products, total, nextCursor}
CREATE OR REPLACE FUNCTION shop.admin_list(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	start integer := souk.cursor_offset(args->>'cursor');
	size integer := (args->>'limit')::integer;
	category bigint[] := CASE WHEN args ? 'category' THEN shop.category_tree(args->>'category') END;
	words text := souk.like_text(souk.fold(nullif(trim(args->>'query'), '')));
	conditions text := concat_ws(' AND ', 'true',
		CASE WHEN args->>'status' <> 'all' THEN 'p.status = $1->>''status''' END,
		CASE WHEN category IS NOT NULL THEN 'p.category_id = ANY ($2)' END,
		CASE WHEN words IS NOT NULL THEN '(souk.fold(p.name) LIKE ''%'' || $3 || ''%'' OR lower(p.sku) LIKE $3 || ''%'' OR p.slug LIKE $3 || ''%'')' END,
		CASE WHEN args->>'inStock' = 'true' THEN 'p.stock > 0' END,
		CASE WHEN args->>'lowStock' = 'true' THEN 'p.stock <= shop.low_at(p)' END,
		CASE WHEN args ? 'minPrice' THEN 'souk.money(shop.pays(p), p.currency) >= ($1->>''minPrice'')::numeric' END,
		CASE WHEN args ? 'maxPrice' THEN 'souk.money(shop.pays(p), p.currency) <= ($1->>''maxPrice'')::numeric' END);
	ids bigint[];
	total bigint;
BEGIN
	PERFORM souk.staff_only();
	EXECUTE 'SELECT count(*) FROM shop.products p WHERE ' || conditions INTO total USING args, category, words;
	EXECUTE 'SELECT array_agg(x.id ORDER BY x.n) FROM (SELECT p.id, row_number() OVER (ORDER BY '
		|| shop.product_order(args->>'sortBy', 'p.updated_at DESC, p.id DESC') || ') AS n FROM shop.products p WHERE ' || conditions
		|| ' ORDER BY n OFFSET $4 LIMIT $5) x' INTO ids USING args, category, words, start, size;
	RETURN json_build_object('products', shop.admin_cards(coalesce(ids, '{}'), souk.locale(args->>'locale')), 'total', total,
		'nextCursor', souk.cursor_next(start, size, total));
END
$$;

-- ---- writing ----

-- The category that is wanted: slug, name or id of one that exists, or a path ("Luminaires > Suspensions") whose missing levels are made.
CREATE OR REPLACE FUNCTION shop.category_wanted(wanted text, member text) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
	IF position('>' IN wanted) > 0 THEN
		RETURN shop.category_ensure(wanted);
	END IF;
	RETURN shop.category_find(wanted);
EXCEPTION WHEN SQLSTATE 'SK404' THEN
	PERFORM souk.fail('SK400', format('%s: there is no category "%s"; list_categories has them all', member, left(wanted, 80)));
END
$$;

-- A slug that no other product has: the wanted one, else with a number behind it. One caller after the other, until their transactions end:
-- two that make the same at once would refuse one.
CREATE OR REPLACE FUNCTION shop.slug_free(wanted text, mine bigint) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	base text := left(coalesce(nullif(souk.slug(wanted), ''), 'product'), 180);
	made text := base;
	n integer := 1;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('shop.slug_free'));
	WHILE EXISTS (SELECT FROM shop.products p WHERE p.slug = made AND p.id IS DISTINCT FROM mine) LOOP
		n := n + 1;
		made := base || '-' || n;
	END LOOP;
	RETURN made;
END
$$;

-- Addresses of pictures: of the web, or of the shop itself.
CREATE OR REPLACE FUNCTION shop.images_checked(list jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	n integer;
BEGIN
	SELECT e.n - 1 INTO n FROM jsonb_array_elements(list) WITH ORDINALITY AS e(value, n) WHERE e.value->>'url' !~ '^(https?://[^\s<>"]+|/[^\s<>"]*)$' LIMIT 1;
	IF n IS NOT NULL THEN
		PERFORM souk.fail('SK400', format('productData.images[%s].url: must begin with https://, http:// or /', n));
	END IF;
	RETURN list;
END
$$;

-- p with what d says, checked; members that d does not name stay. lang: language of name and description in d; another one than the product's
-- goes to its translations.
CREATE OR REPLACE FUNCTION shop.product_apply(p shop.products, d jsonb, lang text) RETURNS shop.products
LANGUAGE plpgsql
AS $$
DECLARE
	m text;
BEGIN
	FOREACH m IN ARRAY ARRAY(SELECT jsonb_array_elements_text(d->'clear')) LOOP
		IF d ? m THEN
			PERFORM souk.fail('SK400', format('productData.clear: names %s, which has a value here', m));
		END IF;
	END LOOP;
	IF d ? 'currency' AND p.price_minor IS NOT NULL AND NOT d ? 'price' AND d->>'currency' <> p.currency THEN
		PERFORM souk.fail('SK400', 'productData.currency: needs the price in it');
	ELSIF d->>'currency' !~ '^[A-Z]{3}$' THEN
		PERFORM souk.fail('SK400', 'productData.currency: must be an ISO 4217 code such as EUR or JPY');
	ELSIF d ? 'stock' AND p.variant_count > 0 THEN
		PERFORM souk.fail('SK400', 'productData.stock: the variants hold it; use update_stock with variantSku');
	END IF;
	p.currency := coalesce(d->>'currency', p.currency);
	p.price_minor := CASE WHEN d ? 'price' THEN shop.amount_arg(d->>'price', p.currency, 'productData.price') ELSE p.price_minor END;
	p.sale_price_minor := CASE WHEN d ? 'salePrice' THEN shop.amount_arg(d->>'salePrice', p.currency, 'productData.salePrice')
		WHEN d->'clear' ? 'salePrice' OR d ? 'currency' THEN NULL ELSE p.sale_price_minor END;
	IF p.sale_price_minor >= p.price_minor OR (p.sale_price_minor IS NOT NULL AND p.price_minor IS NULL) THEN
		PERFORM souk.fail('SK400', 'productData.salePrice: must be lower than the price, or be left out');
	END IF;
	IF d ? 'name' AND trim(d->>'name') = '' THEN
		PERFORM souk.fail('SK400', 'productData.name: must not be blank or only of blanks');
	END IF;
	IF lang = p.lang THEN
		p.name := coalesce(trim(d->>'name'), p.name);
		p.description := coalesce(d->>'description', p.description);
	ELSE
		p.names := p.names || jsonb_strip_nulls(jsonb_build_object(lang, trim(d->>'name')));
		p.descriptions := p.descriptions || jsonb_strip_nulls(jsonb_build_object(lang, d->>'description'));
	END IF;
	p.names := (p.names || coalesce(d->'names', '{}')) - p.lang;
	p.descriptions := (p.descriptions || coalesce(d->'descriptions', '{}')) - p.lang;
	p.sku := coalesce(nullif(trim(d->>'sku'), ''), p.sku);
	p.slug := CASE WHEN d ? 'slug' THEN souk.slug(d->>'slug') ELSE p.slug END;
	IF p.slug = '' THEN
		PERFORM souk.fail('SK400', 'productData.slug: must hold letters or digits');
	END IF;
	p.category_id := CASE WHEN d ? 'category' THEN shop.category_wanted(d->>'category', 'productData.category')
		WHEN d->'clear' ? 'category' THEN NULL ELSE p.category_id END;
	p.brand := CASE WHEN d->'clear' ? 'brand' THEN NULL ELSE coalesce(nullif(trim(d->>'brand'), ''), p.brand) END;
	p.colour := CASE WHEN d->'clear' ? 'colour' THEN NULL ELSE coalesce(nullif(trim(d->>'colour'), ''), p.colour) END;
	p.low_stock := CASE WHEN d->'clear' ? 'lowStock' THEN NULL ELSE coalesce((d->>'lowStock')::integer, p.low_stock) END;
	p.stock := coalesce((d->>'stock')::integer, p.stock);
	p.featured := coalesce((d->>'featured')::boolean, p.featured);
	p.status := coalesce(d->>'status', p.status);
	p.images := coalesce(shop.images_checked(d->'images'), p.images);
	p.attributes := coalesce(d->'attributes', p.attributes);
	RETURN p;
END
$$;

-- Add, change or remove variants of a product, each by its SKU.
CREATE OR REPLACE FUNCTION shop.variants_apply(product shop.products, list jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	v jsonb;
	n integer;
	old shop.product_variants;
	fresh shop.product_variants;
	member text;
BEGIN
	FOR v, n IN SELECT e.value, e.n - 1 FROM jsonb_array_elements(list) WITH ORDINALITY AS e(value, n) LOOP
		member := format('productData.variants[%s].', n);
		SELECT * INTO old FROM shop.product_variants x WHERE x.sku = trim(v->>'sku') FOR UPDATE;
		IF old.product_id <> product.id OR EXISTS (SELECT FROM shop.products p WHERE p.sku = trim(v->>'sku') AND p.id <> product.id) THEN
			PERFORM souk.fail('SK409', member || 'sku: belongs to another product');
		ELSIF (v->>'remove')::boolean THEN
			DELETE FROM shop.product_variants x WHERE x.id = old.id;
			CONTINUE;
		END IF;
		fresh := old;
		fresh.price_minor := coalesce(shop.amount_arg(v->>'price', product.currency, member || 'price'), old.price_minor);
		fresh.sale_price_minor := coalesce(shop.amount_arg(v->>'salePrice', product.currency, member || 'salePrice'), old.sale_price_minor);
		IF fresh.sale_price_minor >= coalesce(fresh.price_minor, product.price_minor) THEN
			PERFORM souk.fail('SK400', member || 'salePrice: must be lower than the price, or be left out');
		END IF;
		IF old.id IS NULL THEN
			INSERT INTO shop.product_variants (product_id, sku, options, price_minor, sale_price_minor, stock, position)
			VALUES (product.id, trim(v->>'sku'), coalesce(v->'options', '{}'), fresh.price_minor, fresh.sale_price_minor, coalesce((v->>'stock')::integer, 0),
				(SELECT coalesce(max(x.position), -1) + 1 FROM shop.product_variants x WHERE x.product_id = product.id));
		ELSE
			UPDATE shop.product_variants x SET options = coalesce(v->'options', x.options), price_minor = fresh.price_minor,
				sale_price_minor = fresh.sale_price_minor, stock = coalesce((v->>'stock')::integer, x.stock), updated_at = now() WHERE x.id = old.id;
		END IF;
	END LOOP;
END
$$;

-- What a unique index says, as the caller's member.
CREATE OR REPLACE FUNCTION shop.taken_text(constraint_name text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT CASE WHEN constraint_name LIKE '%slug%' THEN 'productData.slug: another product has it' WHEN constraint_name LIKE '%sku%'
	THEN 'productData.sku: another product has it' ELSE 'another product has that already' END $$;

-- {productData, locale, userId} -> {product}
CREATE OR REPLACE FUNCTION shop.product_create(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d jsonb := args->'productData';
	lang text := coalesce(args->>'locale', souk.setting('shop.language', 'fr'));
	p shop.products;
	broken text;
BEGIN
	PERFORM souk.staff_only();
	p.currency := souk.setting('shop.currency', 'EUR');
	p.lang := lang;
	p.names := '{}'; p.descriptions := '{}'; p.images := '[]'; p.attributes := '{}'; p.colours := '{}';
	p.description := ''; p.stock := 0; p.featured := false; p.status := 'active'; p.variant_count := 0;
	p := shop.product_apply(p, d, lang);
	p.sku := coalesce(p.sku, 'P-' || upper(substr(md5(gen_random_uuid()::text), 1, 10)));
	p.slug := coalesce(p.slug, shop.slug_free(p.name, NULL));
	IF EXISTS (SELECT FROM shop.product_variants v WHERE v.sku = p.sku) THEN
		PERFORM souk.fail('SK409', 'productData.sku: another product has it');
	END IF;
	INSERT INTO shop.products (category_id, price_minor, sale_price_minor, stock, featured, status, currency, lang, sku, slug, name, brand, colour, description, names,
		descriptions, images, attributes, low_stock)
	VALUES (p.category_id, p.price_minor, p.sale_price_minor, p.stock, p.featured, p.status, p.currency, p.lang, p.sku, p.slug, p.name, p.brand, p.colour, p.description,
		p.names, p.descriptions, p.images, p.attributes, p.low_stock) RETURNING * INTO p;
	PERFORM shop.variants_apply(p, d->'variants');
	SELECT * INTO p FROM shop.products x WHERE x.id = p.id;
	IF p.stock <> 0 AND p.variant_count = 0 THEN
		INSERT INTO shop.stock_moves (product_id, delta, stock, reason, actor) VALUES (p.id, p.stock, p.stock, 'created', souk.actor());
	END IF;
	PERFORM souk.audit_note('product.create', p.sku, jsonb_strip_nulls(jsonb_build_object('id', p.id::text, 'onBehalfOf', args->>'userId',
		'after', shop.admin_product(p)::jsonb)));
	RETURN json_build_object('product', json_strip_nulls(shop.admin_product(p)));
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
	PERFORM souk.fail('SK409', shop.taken_text(broken));
END
$$;

-- A product, locked. SK409 when it has changed since the caller read it.
CREATE OR REPLACE FUNCTION shop.product_take(wanted text, expected text) RETURNS shop.products
LANGUAGE plpgsql
AS $$
DECLARE
	p shop.products;
BEGIN
	SELECT * INTO p FROM shop.products x WHERE x.id = shop.product_any(wanted) FOR UPDATE;
	IF expected <> souk.rfc3339(p.updated_at) THEN
		PERFORM souk.fail('SK409', format('product %s has changed since, at %s; read it again', p.sku, souk.rfc3339(p.updated_at)));
	END IF;
	RETURN p;
END
$$;

-- {productId, productData, locale, expectedUpdatedAt, userId} -> {product, changed}
CREATE OR REPLACE FUNCTION shop.product_update(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d jsonb := args->'productData';
	p shop.products;
	was jsonb;
	becomes jsonb;
	changed text[];
	old_stock integer;
	broken text;
BEGIN
	PERFORM souk.staff_only();
	p := shop.product_take(args->>'productId', args->>'expectedUpdatedAt');
	IF p.id IS NULL THEN
		RETURN NULL;
	ELSIF p.status = 'deleted' THEN
		PERFORM souk.fail('SK409', format('product %s is deleted; restore it first', p.sku));
	END IF;
	was := jsonb_strip_nulls(shop.admin_product(p)::jsonb);
	old_stock := p.stock;
	p := shop.product_apply(p, d, coalesce(args->>'locale', p.lang));
	UPDATE shop.products x SET category_id = p.category_id, price_minor = p.price_minor, sale_price_minor = p.sale_price_minor, stock = p.stock,
		featured = p.featured, status = p.status, currency = p.currency, sku = p.sku, slug = p.slug, name = p.name, brand = p.brand, colour = p.colour,
		description = p.description, names = p.names, descriptions = p.descriptions, images = p.images, attributes = p.attributes, low_stock = p.low_stock
	 WHERE x.id = p.id AND x IS DISTINCT FROM p;
	PERFORM shop.variants_apply(p, d->'variants');
	SELECT * INTO p FROM shop.products x WHERE x.id = p.id;
	becomes := jsonb_strip_nulls(shop.admin_product(p)::jsonb);
	changed := ARRAY(SELECT k FROM jsonb_object_keys(was || becomes) AS k WHERE was->k IS DISTINCT FROM becomes->k AND k <> 'updatedAt' ORDER BY k);
	IF cardinality(changed) > 0 THEN
		UPDATE shop.products x SET updated_at = greatest(now(), x.updated_at + interval '1 second') WHERE x.id = p.id RETURNING * INTO p;
		IF p.stock <> old_stock AND p.variant_count = 0 THEN
			INSERT INTO shop.stock_moves (product_id, delta, stock, reason, actor) VALUES (p.id, p.stock - old_stock, p.stock, 'set', souk.actor());
		END IF;
		PERFORM souk.audit_note('product.update', p.sku, jsonb_strip_nulls(jsonb_build_object('id', p.id::text, 'onBehalfOf', args->>'userId',
			'before', (SELECT jsonb_object_agg(k, was->k) FROM unnest(changed) k), 'after', (SELECT jsonb_object_agg(k, becomes->k) FROM unnest(changed) k))));
	END IF;
	RETURN json_build_object('product', json_strip_nulls(shop.admin_product(p)), 'changed', to_json(changed));
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
	PERFORM souk.fail('SK409', shop.taken_text(broken));
END
$$;

-- {productId} -> {product}; becomes 'deleted', 'active' or 'draft'. Nothing is lost: orders keep their lines, and it can come back.
CREATE OR REPLACE FUNCTION shop.product_set_status(wanted text, becomes text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p shop.products;
	was text;
BEGIN
	PERFORM souk.staff_only();
	p := shop.product_take(wanted, NULL);
	IF p.id IS NULL THEN
		RETURN NULL;
	ELSIF (p.status = 'deleted') = (becomes = 'deleted') THEN
		PERFORM souk.fail('SK409', format('product %s is %s', p.sku, CASE becomes WHEN 'deleted' THEN 'deleted already' ELSE 'not deleted' END));
	END IF;
	was := p.status;
	UPDATE shop.products x SET status = becomes, deleted_at = CASE WHEN becomes = 'deleted' THEN now() END, updated_at = now()
	 WHERE x.id = p.id RETURNING * INTO p;
	PERFORM souk.audit_note(CASE becomes WHEN 'deleted' THEN 'product.delete' ELSE 'product.restore' END, p.sku,
		jsonb_build_object('id', p.id::text, 'before', was, 'after', becomes));
	RETURN json_build_object('product', json_strip_nulls(shop.admin_product(p)));
END
$$;

-- {productId, variantSku, set or change, reason} -> {productId, sku, before, after, low}
CREATE OR REPLACE FUNCTION shop.stock_update(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p shop.products;
	v shop.product_variants;
	was integer;
	delta integer;
BEGIN
	PERFORM souk.staff_only();
	IF (args ? 'set') = (args ? 'change') THEN
		PERFORM souk.fail('SK400', 'set: give either it or change');
	END IF;
	p := shop.product_take(args->>'productId', NULL);
	SELECT * INTO v FROM shop.product_variants x WHERE x.product_id = p.id AND x.sku = coalesce(args->>'variantSku', args->>'productId') FOR UPDATE;
	IF p.id IS NULL OR (args ? 'variantSku' AND v.id IS NULL) THEN
		RETURN NULL;
	ELSIF p.variant_count > 0 AND v.id IS NULL THEN
		PERFORM souk.fail('SK400', 'variantSku: is needed, the product has variants');
	END IF;
	was := CASE WHEN v.id IS NULL THEN p.stock ELSE v.stock END;
	delta := coalesce((args->>'change')::integer, (args->>'set')::integer - was);
	IF was + delta < 0 THEN
		PERFORM souk.fail('SK409', format('change: there are only %s', was));
	END IF;
	PERFORM shop.stock_add(p.id, v.id, delta, args->>'reason', NULL);
	SELECT * INTO p FROM shop.products x WHERE x.id = p.id;
	PERFORM souk.audit_note('product.stock', coalesce(v.sku, p.sku), jsonb_build_object('id', p.id::text, 'before', was, 'after', was + delta, 'reason', args->>'reason'));
	RETURN json_build_object('productId', p.id::text, 'sku', coalesce(v.sku, p.sku), 'before', was, 'after', was + delta, 'stock', p.stock,
		'low', p.stock <= shop.low_at(p));
END
$$;

-- Stock that falls to the mark or below it is told once, until it has been above it again.
CREATE OR REPLACE FUNCTION shop.stock_crossed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mark integer := shop.low_at(NEW);
	facts jsonb;
BEGIN
	IF OLD.stock > mark AND NEW.stock <= mark THEN
		facts := jsonb_build_object('productId', NEW.id::text, 'sku', NEW.sku, 'name', NEW.name, 'stock', NEW.stock, 'threshold', mark);
		PERFORM souk.emit('product.stock_low', NEW.sku, facts);
		INSERT INTO souk.alerts AS a (kind, message, details) VALUES ('stock', format('product %s is low on stock', NEW.sku), facts)
		ON CONFLICT (kind, message) WHERE resolved_at IS NULL DO UPDATE SET last_seen_at = now(), seen_count = a.seen_count + 1;
	ELSIF OLD.stock <= mark AND NEW.stock > mark THEN
		UPDATE souk.alerts a SET resolved_at = now()
		 WHERE a.kind = 'stock' AND a.message = format('product %s is low on stock', NEW.sku) AND a.resolved_at IS NULL;
	END IF;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS products_stock_crossed ON shop.products;
CREATE TRIGGER products_stock_crossed AFTER UPDATE OF stock ON shop.products
	FOR EACH ROW WHEN (NEW.stock <> OLD.stock AND NEW.status = 'active') EXECUTE FUNCTION shop.stock_crossed();

-- ---- prices of many products ----

-- What a change of prices would do, row by row; variants with a price of their own are rows too. args: category, brand, productIds; percent or
-- amount; roundTo; target (price, salePrice, endSale). Prices are rounded half away from zero to a multiple of roundTo. A row with a problem stays
-- as it is.
CREATE OR REPLACE FUNCTION shop.price_plan(args jsonb)
RETURNS TABLE (product_id bigint, variant_id bigint, sku text, name text, currency text, was bigint, becomes bigint, problem text)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
	target text := args->>'target';
	percent numeric := (args->>'percent')::numeric;
	category bigint[] := CASE WHEN args ? 'category' THEN shop.category_tree(args->>'category') END;
	ids bigint[] := CASE WHEN args ? 'productIds' THEN ARRAY(SELECT shop.product_any(x) FROM jsonb_array_elements_text(args->'productIds') x) END;
BEGIN
	IF NOT args ?| ARRAY['category', 'brand', 'productIds'] THEN
		PERFORM souk.fail('SK400', 'category: give it, brand or productIds');
	ELSIF target <> 'endSale' AND (args ? 'percent') = (args ? 'amount') THEN
		PERFORM souk.fail('SK400', 'percent: give either it or amount');
	ELSIF target = 'endSale' AND args ?| ARRAY['percent', 'amount'] THEN
		PERFORM souk.fail('SK400', 'target: the end of a sale needs neither percent nor amount');
	ELSIF array_position(ids, NULL) IS NOT NULL THEN
		PERFORM souk.fail('SK404', format('productIds[%s]: there is no such product', array_position(ids, NULL) - 1));
	END IF;
	RETURN QUERY
	WITH row AS (
		SELECT p.id AS product_id, NULL::bigint AS variant_id, p.sku, p.name, p.currency, p.price_minor AS price, p.sale_price_minor AS sale
		  FROM shop.products p
		 WHERE p.status <> 'deleted' AND (category IS NULL OR p.category_id = ANY (category)) AND (ids IS NULL OR p.id = ANY (ids))
		   AND (NOT args ? 'brand' OR souk.fold(p.brand) = souk.fold(args->>'brand'))
	), every AS (
		SELECT * FROM row
		UNION ALL
		SELECT r.product_id, v.id, v.sku, r.name, r.currency, v.price_minor, v.sale_price_minor
		  FROM row r JOIN shop.product_variants v ON v.product_id = r.product_id WHERE v.price_minor IS NOT NULL
	), planned AS (
		SELECT e.*, CASE target WHEN 'endSale' THEN NULL ELSE
			round((e.price * (1 + coalesce(percent, 0) / 100) + coalesce(souk.minor((args->>'amount')::numeric, e.currency), 0)) / g.grain)::bigint * g.grain END AS made
		  FROM every e, LATERAL (SELECT greatest(coalesce(souk.minor((args->>'roundTo')::numeric, e.currency), 1), 1) AS grain) g
		 WHERE e.price IS NOT NULL
	)
	SELECT p.product_id, p.variant_id, p.sku, p.name, p.currency, CASE target WHEN 'price' THEN p.price ELSE p.sale END, p.made,
		CASE WHEN p.made < 0 THEN 'would be negative' WHEN target = 'salePrice' AND p.made >= p.price THEN 'would not be below the price'
			WHEN target = 'price' AND p.made <= p.sale THEN 'would not be above the sale price' END
	  FROM planned p WHERE CASE target WHEN 'price' THEN p.price ELSE p.sale END IS DISTINCT FROM p.made
	 ORDER BY p.product_id, p.variant_id NULLS FIRST;
END
$$;

-- args as price_plan -> what it does, with a mark that stands for exactly these prices.
CREATE OR REPLACE FUNCTION shop.price_preview(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	result json;
BEGIN
	PERFORM souk.staff_only();
	WITH plan AS MATERIALIZED (
		SELECT * FROM shop.price_plan(args)
	), good AS (
		SELECT * FROM plan x WHERE x.problem IS NULL
	)
	SELECT json_build_object(
		'previewId', 'pp_' || md5(coalesce(string_agg(concat_ws(':', g.product_id, g.variant_id, g.was, g.becomes), ',' ORDER BY g.product_id, g.variant_id), '')),
		'products', count(DISTINCT g.product_id), 'variants', count(g.variant_id), 'raised', count(*) FILTER (WHERE g.becomes > g.was),
		'lowered', count(*) FILTER (WHERE g.becomes < g.was),
		'examples', coalesce((SELECT json_agg(json_strip_nulls(json_build_object('productId', e.product_id::text, 'sku', e.sku, 'name', e.name, 'currency', e.currency,
			'before', souk.money(e.was, e.currency), 'after', souk.money(e.becomes, e.currency))) ORDER BY e.product_id, e.variant_id)
			FROM (SELECT * FROM good LIMIT 20) e), '[]'),
		'skipped', (SELECT count(*) FROM plan x WHERE x.problem IS NOT NULL),
		'problems', coalesce((SELECT json_agg(json_build_object('sku', e.sku, 'problem', e.problem)) FROM (SELECT * FROM plan x WHERE x.problem IS NOT NULL LIMIT 20) e), '[]'))
	  INTO result FROM good g;
	RETURN result;
END
$$;

-- args as price_plan, and previewId -> what was done; SK409 unless it is exactly what the preview has shown.
CREATE OR REPLACE FUNCTION shop.price_apply(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	plan json;
	rows jsonb;
	sale boolean := args->>'target' <> 'price';
BEGIN
	PERFORM souk.staff_only();
	PERFORM FROM shop.products p WHERE p.id IN (SELECT x.product_id FROM shop.price_plan(args) x) ORDER BY p.id FOR UPDATE;
	plan := shop.price_preview(args);
	IF plan->>'previewId' <> args->>'previewId' THEN
		PERFORM souk.fail('SK409', 'previewId: prices or products have changed since, or the arguments; look at the preview again');
	END IF;
	rows := (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.product_id, x.variant_id), '[]') FROM shop.price_plan(args) x WHERE x.problem IS NULL);
	UPDATE shop.product_variants v SET updated_at = now(), price_minor = CASE WHEN sale THEN v.price_minor ELSE x.becomes END,
		sale_price_minor = CASE WHEN sale THEN x.becomes ELSE v.sale_price_minor END
	  FROM jsonb_to_recordset(rows) AS x(variant_id bigint, becomes bigint) WHERE v.id = x.variant_id;
	UPDATE shop.products p SET updated_at = now(), price_minor = CASE WHEN sale THEN p.price_minor ELSE x.becomes END,
		sale_price_minor = CASE WHEN sale THEN x.becomes ELSE p.sale_price_minor END
	  FROM jsonb_to_recordset(rows) AS x(product_id bigint, variant_id bigint, becomes bigint) WHERE p.id = x.product_id AND x.variant_id IS NULL;
	PERFORM souk.audit_note('product.prices', plan->>'previewId', jsonb_build_object('rule', args - 'previewId', 'prices', (
		SELECT jsonb_agg(jsonb_build_array(x.sku, souk.money(x.was, x.currency), souk.money(x.becomes, x.currency)))
		  FROM jsonb_to_recordset(rows) AS x(sku text, was bigint, becomes bigint, currency text))));
	RETURN json_build_object('products', plan->'products', 'variants', plan->'variants', 'raised', plan->'raised', 'lowered', plan->'lowered');
END
$$;
