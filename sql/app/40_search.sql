-- Full-text search in PostgreSQL: what lib/search asks when it has no segment of its own. Words are folded (no accents, no
-- case) and stemmed in every language a text has; a query is stemmed in all of them, so French and English words
-- find the same product.

CREATE OR REPLACE FUNCTION souk.ts_config(lang text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE lang
	WHEN 'fr' THEN 'pg_catalog.french'::regconfig
	WHEN 'en' THEN 'pg_catalog.english'::regconfig
	WHEN 'de' THEN 'pg_catalog.german'::regconfig
	WHEN 'es' THEN 'pg_catalog.spanish'::regconfig
	WHEN 'it' THEN 'pg_catalog.italian'::regconfig
	WHEN 'nl' THEN 'pg_catalog.dutch'::regconfig
	WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig
	ELSE 'pg_catalog.simple'::regconfig END
$$;

-- One product as a document and as the set of its words. Weights: A name, B brand, colour and SKU, C category and attributes,
-- D description, each in all its languages. Hyphens join words ("table-basse", "pot-au-feu") that people type apart. Written for
-- speed: 100,000 products are indexed in one go after an import.
CREATE OR REPLACE FUNCTION shop.search_doc(p shop.products, c shop.categories, OUT doc tsvector, OUT words tsvector)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = souk, public, pg_temp
AS $$
DECLARE
	main regconfig := souk.ts_config(p.lang);
	short text := translate(lower(unaccent('unaccent', p.name)), '-_/', '   ');
	other text;
	lang text;
BEGIN
	doc := setweight(to_tsvector(main, short), 'A');
	other := translate(lower(unaccent('unaccent', concat_ws(' ', p.brand, p.sku))), '-_/', '   ');
	doc := doc || setweight(to_tsvector('pg_catalog.simple', other), 'B');
	short := short || ' ' || other;
	other := translate(lower(unaccent('unaccent', coalesce(p.colour, ''))), '-_/', '   ');
	doc := doc || setweight(to_tsvector(main, other), 'B');
	short := short || ' ' || other;
	other := translate(lower(unaccent('unaccent', concat_ws(' ', c.path, p.attributes->>'material', p.attributes->>'style', p.attributes->>'collection',
		p.attributes->>'tags'))), '-_/', '   ');
	doc := doc || setweight(to_tsvector(main, other), 'C');
	short := short || ' ' || other;
	doc := doc || setweight(to_tsvector(main, lower(unaccent('unaccent', left(p.description, 20000)))), 'D');
	FOR lang IN SELECT jsonb_object_keys(p.names || p.colours || p.descriptions || coalesce(c.names, '{}')) LOOP
		CONTINUE WHEN lang = p.lang;
		main := souk.ts_config(lang);
		other := translate(lower(unaccent('unaccent', coalesce(p.names->>lang, ''))), '-_/', '   ');
		doc := doc || setweight(to_tsvector(main, other), 'A');
		short := short || ' ' || other;
		other := translate(lower(unaccent('unaccent', coalesce(p.colours->>lang, ''))), '-_/', '   ');
		doc := doc || setweight(to_tsvector(main, other), 'B');
		short := short || ' ' || other;
		other := translate(lower(unaccent('unaccent', coalesce(c.paths->>lang, ''))), '-_/', '   ');
		doc := doc || setweight(to_tsvector(main, other), 'C');
		short := short || ' ' || other;
		IF p.descriptions ? lang THEN
			doc := doc || setweight(to_tsvector(main, lower(unaccent('unaccent', left(p.descriptions->>lang, 20000)))), 'D');
		END IF;
	END LOOP;
	words := to_tsvector('pg_catalog.simple', short);
END
$$;

-- Index these products (deleted ones leave the index). Words are only ever added here; search_rebuild() counts them afresh. Words of
-- descriptions are searched but are not offered as corrections.
CREATE OR REPLACE FUNCTION shop.search_index(ids bigint[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM shop.product_search s
	 WHERE s.product_id = ANY (ids)
	   AND NOT EXISTS (SELECT FROM shop.products p WHERE p.id = s.product_id AND p.status = 'active');
	WITH made AS MATERIALIZED (
		SELECT p.id, d.doc, d.words
		  FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id, LATERAL shop.search_doc(p, c) AS d
		 WHERE p.id = ANY (ids) AND p.status = 'active'
	), indexed AS (
		INSERT INTO shop.product_search (product_id, doc) SELECT id, doc FROM made ORDER BY id
		ON CONFLICT (product_id) DO UPDATE SET doc = EXCLUDED.doc WHERE product_search.doc IS DISTINCT FROM EXCLUDED.doc
	)
	INSERT INTO shop.search_words AS w (word, products)
	SELECT word, count(*) FROM made, unnest(tsvector_to_array(words)) AS word
	 WHERE word ~ '^[a-z0-9]{3,40}$'
	 GROUP BY word ORDER BY word
	ON CONFLICT (word) DO UPDATE SET products = w.products + EXCLUDED.products;
END
$$;

-- Take up to batch products from the queue. Returns how many; call it until it returns 0. Two callers do not disturb each other.
CREATE OR REPLACE FUNCTION shop.search_refresh(batch integer DEFAULT 2000) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
	ids bigint[];
BEGIN
	WITH taken AS (
		DELETE FROM shop.search_queue WHERE product_id IN (
			SELECT product_id FROM shop.search_queue ORDER BY product_id LIMIT batch FOR UPDATE SKIP LOCKED)
		RETURNING product_id
	)
	SELECT array_agg(product_id) INTO ids FROM taken;
	IF ids IS NOT NULL THEN
		PERFORM shop.search_index(ids);
	END IF;
	RETURN coalesce(cardinality(ids), 0);
END
$$;

-- Everything again: after a change of this file, or to forget words of products that are gone.
CREATE OR REPLACE FUNCTION shop.search_rebuild() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	n bigint;
BEGIN
	DELETE FROM shop.search_words;
	INSERT INTO shop.search_queue (product_id) SELECT id FROM shop.products ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	WHILE shop.search_refresh(5000) > 0 LOOP
		NULL;
	END LOOP;
	RETURN n;
END
$$;

-- Few changed products are indexed at once, many are queued. Price, stock and counters are not in the document.
CREATE OR REPLACE FUNCTION shop.products_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
	ids bigint[];
BEGIN
	IF TG_OP = 'INSERT' THEN
		SELECT array_agg(id) INTO ids FROM (SELECT id FROM changed LIMIT 501) x;
	ELSE
		SELECT array_agg(id) INTO ids FROM (
			SELECT n.id FROM changed n JOIN before b USING (id)
			 WHERE (n.name, n.brand, n.colour, n.sku, n.lang, n.category_id, n.status, n.description)
				IS DISTINCT FROM (b.name, b.brand, b.colour, b.sku, b.lang, b.category_id, b.status, b.description)
			    OR (n.names, n.colours, n.descriptions, n.attributes)
				IS DISTINCT FROM (b.names, b.colours, b.descriptions, b.attributes)
			 LIMIT 501) x;
	END IF;
	IF cardinality(ids) > 500 THEN
		INSERT INTO shop.search_queue (product_id) SELECT id FROM changed ON CONFLICT DO NOTHING;
	ELSIF ids IS NOT NULL THEN
		PERFORM shop.search_index(ids);
	END IF;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS products_inserted ON shop.products;
CREATE TRIGGER products_inserted AFTER INSERT ON shop.products
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.products_changed();
DROP TRIGGER IF EXISTS products_updated ON shop.products;
CREATE TRIGGER products_updated AFTER UPDATE ON shop.products
	REFERENCING NEW TABLE AS changed OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION shop.products_changed();

-- A renamed category changes the documents of all products below it.
CREATE OR REPLACE FUNCTION shop.category_queue_search() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO shop.search_queue (product_id) SELECT id FROM shop.products WHERE category_id = NEW.id
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS categories_queue_search ON shop.categories;
CREATE TRIGGER categories_queue_search AFTER UPDATE ON shop.categories
	FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path OR OLD.paths IS DISTINCT FROM NEW.paths)
	EXECUTE FUNCTION shop.category_queue_search();

-- All stems of one folded word; NULL for a word that any language leaves out ("de", "the").
CREATE OR REPLACE FUNCTION shop.search_stems(word text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	fr text[] := tsvector_to_array(to_tsvector('pg_catalog.french', word));
	en text[] := tsvector_to_array(to_tsvector('pg_catalog.english', word));
	de text[] := tsvector_to_array(to_tsvector('pg_catalog.german', word));
	es text[] := tsvector_to_array(to_tsvector('pg_catalog.spanish', word));
BEGIN
	IF '{}' IN (fr, en, de, es) THEN
		RETURN NULL;
	END IF;
	RETURN ARRAY(SELECT DISTINCT unnest(fr || en || de || es || word));
END
$$;

-- The word of the catalogue that an unknown word was probably meant to be; NULL when none is near. Candidates begin with the
-- same letter or share trigrams; at most two letters wrong, two swapped letters count as one; frequent words are likelier.
CREATE OR REPLACE FUNCTION shop.search_correct(wrong text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = shop, souk, public, pg_temp
AS $$
WITH near AS (
	SELECT word, products FROM search_words
	 WHERE word COLLATE "C" >= left(wrong, 1) AND word COLLATE "C" < chr(ascii(wrong) + 1)
	   AND length(word) BETWEEN length(wrong) - 2 AND length(wrong) + 2
	UNION
	SELECT word, products FROM search_words
	 WHERE word % wrong AND length(word) BETWEEN length(wrong) - 2 AND length(wrong) + 2
), measured AS (
	SELECT word, products, levenshtein_less_equal(word, wrong, 2) AS d FROM near
)
SELECT word FROM (
	SELECT word, products, CASE
			WHEN d = 2 AND length(word) = length(wrong)
				AND (SELECT array_agg(x ORDER BY x) FROM regexp_split_to_table(word, '') x)
					= (SELECT array_agg(x ORDER BY x) FROM regexp_split_to_table(wrong, '') x)
			THEN 1 ELSE d END AS d
	  FROM measured WHERE d <= 2) w
 WHERE length(wrong) BETWEEN 4 AND 40 AND d <= CASE WHEN length(wrong) < 6 THEN 1 ELSE 2 END
 ORDER BY d - 0.15 * ln(greatest(products, 1)) - CASE WHEN left(word, 1) = left(wrong, 1) THEN 0.5 ELSE 0 END, word
 LIMIT 1
$$;
