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

-- Hyphens join words in names ("table-basse", "pot-au-feu") that people type apart.
CREATE OR REPLACE FUNCTION shop.search_text(lang text, main text, others jsonb, weight "char") RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	doc tsvector := to_tsvector(souk.ts_config(lang), translate(souk.fold(coalesce(main, '')), '-_/', '   '));
	other record;
BEGIN
	IF others <> '{}' THEN
		FOR other IN SELECT key, value FROM jsonb_each_text(others) WHERE key <> lang LOOP
			doc := doc || to_tsvector(souk.ts_config(other.key), translate(souk.fold(coalesce(other.value, '')), '-_/', '   '));
		END LOOP;
	END IF;
	RETURN setweight(doc, weight);
END
$$;

CREATE OR REPLACE FUNCTION shop.search_doc(p shop.products, c shop.categories) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT shop.search_text(p.lang, p.name, p.names, 'A')
	|| shop.search_text('', concat_ws(' ', p.brand, p.sku), '{}', 'B')
	|| shop.search_text(p.lang, p.colour, p.colours, 'B')
	|| shop.search_text(p.lang, c.path, c.paths, 'C')
	|| shop.search_text(p.lang, (SELECT string_agg(value, ' ') FROM jsonb_each_text(p.attributes) WHERE key <> 'colourHex'), '{}', 'C')
	|| shop.search_text(p.lang, left(p.description, 20000), p.descriptions, 'D')
$$;

-- Index these products (deleted ones leave the index). Words are only ever added here; search_rebuild() counts them afresh.
CREATE OR REPLACE FUNCTION shop.search_index(ids bigint[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM shop.product_search s
	 WHERE s.product_id = ANY (ids)
	   AND NOT EXISTS (SELECT FROM shop.products p WHERE p.id = s.product_id AND p.status = 'active');
	INSERT INTO shop.product_search (product_id, doc)
	SELECT p.id, shop.search_doc(p, c)
	  FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id
	 WHERE p.id = ANY (ids) AND p.status = 'active'
	ON CONFLICT (product_id) DO UPDATE SET doc = EXCLUDED.doc WHERE product_search.doc IS DISTINCT FROM EXCLUDED.doc;
	INSERT INTO shop.search_words AS w (word, products)
	SELECT word, count(DISTINCT id) FROM (
		SELECT p.id, regexp_split_to_table(souk.fold(concat_ws(' ', p.name, p.brand, p.colour, c.name,
				(SELECT string_agg(value, ' ') FROM jsonb_each_text(p.names || p.colours || coalesce(c.names, '{}'))))
			|| ' ' || souk.fold(left(p.description, 4000))
			|| ' ' || coalesce((SELECT string_agg(souk.fold(left(value, 4000)), ' ') FROM jsonb_each_text(p.descriptions)), '')),
			'[^a-z0-9]+') AS word
		  FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id
		 WHERE p.id = ANY (ids) AND p.status = 'active') x
	 WHERE length(word) BETWEEN 3 AND 40
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
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT CASE WHEN bool_and(doc <> '') THEN array_agg(DISTINCT lexeme) END
  FROM (SELECT to_tsvector(config, word) AS doc
          FROM unnest('{pg_catalog.french,pg_catalog.english,pg_catalog.german,pg_catalog.spanish,pg_catalog.simple}'::regconfig[])
               AS config) s
  LEFT JOIN LATERAL unnest(tsvector_to_array(doc)) AS lexeme ON true
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
