-- Rules of the catalogue and the forms in which products are shown.

-- Keep path, paths and path_ids of a category.
CREATE OR REPLACE FUNCTION shop.category_set_path() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
	parent shop.categories;
BEGIN
	IF NEW.parent_id IS NULL THEN
		NEW.path := NEW.name;
		NEW.paths := NEW.names;
		NEW.path_ids := ARRAY[NEW.id];
		RETURN NEW;
	END IF;
	SELECT * INTO STRICT parent FROM shop.categories WHERE id = NEW.parent_id;
	IF NEW.id = ANY (parent.path_ids) THEN
		PERFORM souk.fail('SK409', 'a category cannot be below itself');
	END IF;
	NEW.path := parent.path || ' > ' || NEW.name;
	NEW.path_ids := parent.path_ids || NEW.id;
	SELECT coalesce(jsonb_object_agg(n.lang, coalesce(parent.paths->>n.lang, parent.path) || ' > ' || n.name), '{}')
	  INTO NEW.paths FROM jsonb_each_text(NEW.names) AS n(lang, name);
	RETURN NEW;
END
$$;
DROP TRIGGER IF EXISTS categories_set_path ON shop.categories;
CREATE TRIGGER categories_set_path BEFORE INSERT OR UPDATE ON shop.categories
	FOR EACH ROW EXECUTE FUNCTION shop.category_set_path();

CREATE OR REPLACE FUNCTION shop.category_pass_path() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE shop.categories SET updated_at = now() WHERE parent_id = NEW.id AND id <> NEW.id;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS categories_pass_path ON shop.categories;
CREATE TRIGGER categories_pass_path AFTER UPDATE ON shop.categories
	FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path OR OLD.paths IS DISTINCT FROM NEW.paths
		OR OLD.path_ids IS DISTINCT FROM NEW.path_ids)
	EXECUTE FUNCTION shop.category_pass_path();

-- The id of the category 'Luminaires > Suspensions'; levels that do not exist are created. NULL for an empty path.
CREATE OR REPLACE FUNCTION shop.category_ensure(wanted text) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	part text;
	so_far text;
	found_id bigint;
	above bigint;
	base text;
	free text;
	n integer;
BEGIN
	FOREACH part IN ARRAY regexp_split_to_array(coalesce(wanted, ''), '\s*>\s*') LOOP
		part := left(trim(part), 200);
		CONTINUE WHEN part = '';
		so_far := coalesce(so_far || ' > ', '') || part;
		SELECT id INTO found_id FROM shop.categories WHERE path = so_far;
		IF found_id IS NULL THEN
			base := left(coalesce(nullif(souk.slug(part), ''), 'category'), 180);
			free := base;
			n := 1;
			WHILE EXISTS (SELECT FROM shop.categories WHERE slug = free) LOOP
				n := n + 1;
				free := base || '-' || n;
			END LOOP;
			INSERT INTO shop.categories (parent_id, slug, name) VALUES (above, free, part) RETURNING id INTO found_id;
		END IF;
		above := found_id;
	END LOOP;
	RETURN above;
END
$$;

-- A category named by slug, id or name (in any language, accents and case do not matter). NULL for NULL; an unknown one raises SK404.
CREATE OR REPLACE FUNCTION shop.category_find(wanted text) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	found_id bigint;
BEGIN
	IF wanted IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT id INTO found_id FROM shop.categories WHERE slug = wanted;
	IF found_id IS NULL THEN
		SELECT id INTO found_id FROM shop.categories
		 WHERE slug = souk.slug(wanted) OR souk.fold(name) = souk.fold(wanted) OR id::text = wanted
		    OR EXISTS (SELECT FROM jsonb_each_text(names) AS n WHERE souk.fold(n.value) = souk.fold(wanted))
		 ORDER BY slug <> souk.slug(wanted), cardinality(path_ids), position, id LIMIT 1;
	END IF;
	IF found_id IS NULL THEN
		PERFORM souk.fail('SK404', format('there is no category "%s"; list_categories has them all', left(wanted, 80)));
	END IF;
	RETURN found_id;
END
$$;

-- That category and all below it.
CREATE OR REPLACE FUNCTION shop.category_tree(wanted text) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT array_agg(id) FROM shop.categories WHERE path_ids @> ARRAY[shop.category_find(wanted)]);
END
$$;

-- All categories in display order (place), each as it is shown, with the number of active products in it and below.
CREATE OR REPLACE FUNCTION shop.category_list(locale text)
RETURNS TABLE (id bigint, path_ids bigint[], level integer, place bigint, category json)
LANGUAGE sql STABLE
AS $$
WITH own AS (
	SELECT p.category_id, count(*) AS n FROM shop.products p WHERE p.status = 'active' GROUP BY p.category_id
), total AS (
	SELECT a.id, sum(own.n)::bigint AS n
	  FROM own JOIN shop.categories c ON c.id = own.category_id, unnest(c.path_ids) AS a(id) GROUP BY a.id
)
SELECT c.id, c.path_ids, cardinality(c.path_ids),
	row_number() OVER (ORDER BY (SELECT array_agg(ARRAY[a.position::bigint, a.id] ORDER BY s.n)
		FROM unnest(c.path_ids) WITH ORDINALITY AS s(id, n) JOIN shop.categories a ON a.id = s.id)),
	json_build_object(
		'id', c.id::text,
		'slug', c.slug,
		'name', coalesce(c.names->>locale, c.name),
		'path', coalesce(c.paths->>locale, c.path),
		'parentSlug', u.slug,
		'level', cardinality(c.path_ids),
		'productCount', coalesce(t.n, 0))
  FROM shop.categories c
  LEFT JOIN shop.categories u ON u.id = c.parent_id
  LEFT JOIN total t ON t.id = c.id
$$;

-- A product with variants has their stock.
CREATE OR REPLACE FUNCTION shop.variants_count() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE shop.products p
	   SET stock = coalesce(v.stock, p.stock), variant_count = v.n, updated_at = now()
	  FROM (SELECT c.product_id, sum(w.stock)::integer AS stock, count(w.id)::smallint AS n
	          FROM (SELECT DISTINCT product_id FROM changed) c
	          LEFT JOIN shop.product_variants w ON w.product_id = c.product_id
	         GROUP BY c.product_id) v
	 WHERE p.id = v.product_id AND (p.variant_count <> v.n OR p.stock <> coalesce(v.stock, p.stock));
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS product_variants_inserted ON shop.product_variants;
CREATE TRIGGER product_variants_inserted AFTER INSERT ON shop.product_variants
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.variants_count();
DROP TRIGGER IF EXISTS product_variants_updated ON shop.product_variants;
CREATE TRIGGER product_variants_updated AFTER UPDATE ON shop.product_variants
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.variants_count();
DROP TRIGGER IF EXISTS product_variants_deleted ON shop.product_variants;
CREATE TRIGGER product_variants_deleted AFTER DELETE ON shop.product_variants
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.variants_count();

-- What a buyer pays.
CREATE OR REPLACE FUNCTION shop.pays(p shop.products) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(p.sale_price_minor, p.price_minor) $$;

-- The form of a product in every list. Simple enough to be inlined: give it rows, not sub-selects. Members without a
-- value are left out, so callers wrap it, or the list it is in, in json_strip_nulls().
CREATE OR REPLACE FUNCTION shop.card(p shop.products, c shop.categories, locale text) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT json_build_object(
	'id', p.id::text,
	'sku', p.sku,
	'slug', p.slug,
	'name', coalesce(p.names->>locale, p.name),
	'brand', p.brand,
	'colour', coalesce(p.colours->>locale, p.colour),
	'category', coalesce(c.names->>locale, c.name),
	'categorySlug', c.slug,
	'price', souk.money(p.price_minor, p.currency),
	'salePrice', souk.money(p.sale_price_minor, p.currency),
	'currency', p.currency,
	'inStock', p.stock > 0,
	'stock', greatest(p.stock, 0),
	'featured', p.featured,
	'rating', p.rating_avg,
	'ratingCount', p.rating_count,
	'image', p.images->0->>'url')
$$;

-- The form of a variant; what it does not say itself is the product's. Columns, not the product's row, which would have to be built first.
CREATE OR REPLACE FUNCTION shop.variant(v shop.product_variants, price bigint, sale_price bigint, currency text) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT json_build_object(
	'id', v.id::text,
	'sku', v.sku,
	'options', v.options,
	'price', souk.money(coalesce(v.price_minor, price), currency),
	'salePrice', souk.money(CASE WHEN v.price_minor IS NULL THEN coalesce(v.sale_price_minor, sale_price)
		ELSE v.sale_price_minor END, currency),
	'stock', greatest(v.stock, 0),
	'inStock', v.stock > 0)
$$;

-- The variants of a product, in its order. In PL/pgSQL, so that they cost nothing where there are none: as a part of a statement they
-- would be prepared at each call.
CREATE OR REPLACE FUNCTION shop.variants(product bigint, price bigint, sale_price bigint, currency text) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (SELECT json_agg(shop.variant(v, price, sale_price, currency) ORDER BY v.position, v.id)
		FROM shop.product_variants v WHERE v.product_id = product);
END
$$;

-- The category of a product.
CREATE OR REPLACE FUNCTION shop.category_ref(c shop.categories, locale text) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT json_build_object(
	'id', c.id::text,
	'slug', c.slug,
	'name', coalesce(c.names->>locale, c.name),
	'path', coalesce(c.paths->>locale, c.path))
$$;

-- Everything the shop tells about a product; category is a shop.category_ref(), variants a list of shop.variant(), each may be NULL. Inlined
-- like card(), which is why the look-ups are the statement's: a function with a query in it would be planned again at each call.
CREATE OR REPLACE FUNCTION shop.details(p shop.products, locale text, category json, variants json) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT json_strip_nulls(json_build_object(
	'id', p.id::text,
	'sku', p.sku,
	'slug', p.slug,
	'name', coalesce(p.names->>locale, p.name),
	'description', coalesce(p.descriptions->>locale, p.description),
	'brand', p.brand,
	'colour', coalesce(p.colours->>locale, p.colour),
	'category', category,
	'price', souk.money(p.price_minor, p.currency),
	'salePrice', souk.money(p.sale_price_minor, p.currency),
	'currency', p.currency,
	'inStock', p.stock > 0,
	'stock', greatest(p.stock, 0),
	'featured', p.featured,
	'rating', p.rating_avg,
	'ratingCount', p.rating_count,
	'images', p.images,
	'attributes', p.attributes,
	'variants', variants,
	'createdAt', souk.rfc3339(p.created_at),
	'updatedAt', souk.rfc3339(p.updated_at)))
$$;

-- Cards in the order of the ids; products that are gone are left out. In PL/pgSQL, as all functions that query tables and are called
-- often: it keeps their plans for the session.
CREATE OR REPLACE FUNCTION shop.cards(ids bigint[], locale text) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (SELECT json_strip_nulls(coalesce(json_agg(shop.card(p, c, locale) ORDER BY w.n), '[]'))
	  FROM unnest(ids) WITH ORDINALITY AS w(id, n)
	  JOIN shop.products p ON p.id = w.id AND p.status = 'active'
	  LEFT JOIN shop.categories c ON c.id = p.category_id);
END
$$;

-- Whose is this SKU? A product's or that of one of its variants, as it was written or in capitals.
CREATE OR REPLACE FUNCTION shop.sku_product(wanted text) RETURNS bigint
LANGUAGE sql STABLE
AS $$
SELECT coalesce(
	(SELECT id FROM shop.products WHERE sku = wanted),
	(SELECT product_id FROM shop.product_variants WHERE sku = wanted),
	(SELECT id FROM shop.products WHERE sku = upper(wanted)),
	(SELECT product_id FROM shop.product_variants WHERE sku = upper(wanted)))
$$;

-- The variant's SKU in arguments: variantSku, or productId or sku where that is one; NULL when the product as a whole is meant.
CREATE OR REPLACE FUNCTION shop.variant_arg(args jsonb, product bigint) RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT coalesce(args->>'variantSku', (
	SELECT v.sku FROM shop.product_variants v JOIN shop.products p ON p.id = v.product_id
	 WHERE v.product_id = product AND v.sku <> p.sku AND v.sku IN (named, upper(named))
	 ORDER BY v.sku = named DESC LIMIT 1))
FROM (SELECT coalesce(args->>'productId', args->>'sku') AS named) a
$$;

-- The id of an active product named by any of its names; the first that is given counts. A productId that is no
-- number is taken for a slug or SKU, as callers keep whichever they have seen.
CREATE OR REPLACE FUNCTION shop.product_id(args jsonb) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	wanted text := args->>'productId';
	by_slug text := coalesce(args->>'slug', args->>'productSlug');
	found_id bigint;
BEGIN
	IF wanted ~ '^[0-9]{1,18}$' THEN
		SELECT id INTO found_id FROM shop.products WHERE id = wanted::bigint;
	END IF;
	IF found_id IS NOT NULL THEN
		RETURN found_id;
	ELSIF wanted IS NOT NULL THEN
		SELECT id INTO found_id FROM shop.products WHERE slug = wanted;
		IF found_id IS NULL THEN
			found_id := shop.sku_product(wanted);
		END IF;
	ELSIF by_slug IS NOT NULL THEN
		SELECT id INTO found_id FROM shop.products WHERE slug = by_slug;
	ELSIF args->>'sku' IS NOT NULL THEN
		found_id := shop.sku_product(args->>'sku');
	ELSE
		PERFORM souk.fail('SK400', 'one of productId, slug and sku is required');
	END IF;
	RETURN found_id;
END
$$;

-- Count "bought together" again: for each product the 20 products that share most orders with it.
CREATE OR REPLACE FUNCTION shop.refresh_pairs() RETURNS bigint
LANGUAGE plpgsql
SET search_path = shop, souk, public, pg_temp
AS $$
DECLARE
	made bigint;
BEGIN
	LOCK TABLE product_pairs IN EXCLUSIVE MODE;
	DELETE FROM product_pairs;
	WITH bought AS (
		SELECT DISTINCT i.order_id, i.product_id
		  FROM order_items i JOIN orders o ON o.id = i.order_id
		 WHERE o.status <> 'CANCELLED' AND i.product_id IS NOT NULL AND i.quantity > 0
	), small AS (                                -- an order of hundreds of products says little and costs much
		SELECT order_id FROM bought GROUP BY order_id HAVING count(*) BETWEEN 2 AND 60
	), freq AS (
		SELECT product_id, count(*) AS n FROM bought GROUP BY product_id
	), pair AS (
		SELECT a.product_id, b.product_id AS other_id, count(*) AS n
		  FROM small s JOIN bought a USING (order_id) JOIN bought b USING (order_id)
		 WHERE a.product_id <> b.product_id
		 GROUP BY 1, 2
	), ranked AS (
		SELECT p.product_id, p.other_id, p.n, (p.n / sqrt(f.n * g.n::float8) * p.n / (p.n + 5.0)) AS score,
			row_number() OVER (PARTITION BY p.product_id
				ORDER BY p.n / sqrt(f.n * g.n::float8) * p.n / (p.n + 5.0) DESC, p.other_id) AS place
		  FROM pair p JOIN freq f ON f.product_id = p.product_id JOIN freq g ON g.product_id = p.other_id
	)
	INSERT INTO product_pairs (product_id, other_id, orders, score)
	SELECT product_id, other_id, n, score FROM ranked WHERE place <= 20;
	GET DIAGNOSTICS made = ROW_COUNT;
	RETURN made;
END
$$;

-- Count units sold and ratings of all products again, after an import or a repair.
CREATE OR REPLACE FUNCTION shop.refresh_counts() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	n bigint;
BEGIN
	UPDATE shop.products p
	   SET sold_count = greatest(coalesce(s.units, 0), 0)
	  FROM shop.products q
	  LEFT JOIN (SELECT i.product_id, sum(i.quantity)::integer AS units
	               FROM shop.order_items i JOIN shop.orders o ON o.id = i.order_id
	              WHERE o.status <> 'CANCELLED' GROUP BY i.product_id) s ON s.product_id = q.id
	 WHERE p.id = q.id AND p.sold_count <> greatest(coalesce(s.units, 0), 0);
	GET DIAGNOSTICS n = ROW_COUNT;
	UPDATE shop.products p
	   SET rating_count = r.n, rating_avg = r.rating
	  FROM (SELECT product_id, count(*)::integer AS n, round(avg(rating), 2) AS rating
	          FROM shop.reviews WHERE status = 'published' GROUP BY product_id) r
	 WHERE p.id = r.product_id AND (p.rating_count, p.rating_avg) IS DISTINCT FROM (r.n, r.rating);
	RETURN n;
END
$$;
