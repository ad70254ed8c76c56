-- The search itself, split as lib/search needs it: ranking gives ids, rows are fetched by key afterwards.

-- The words of a query that mean something, each with all its stems; unknown ones corrected.
-- fallback: a prefix match, for a word that is unknown and has no near neighbour (it may be unfinished).
CREATE OR REPLACE FUNCTION shop.search_parse(query text)
RETURNS TABLE (n bigint, word text, corrected text, stems integer, q tsquery)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	lexemes text[];
BEGIN
	FOR word, n IN
		SELECT w.word, min(w.place)
		  FROM regexp_split_to_table(souk.fold(left(query, 500)), '[^a-z0-9]+') WITH ORDINALITY AS w(word, place)
		 WHERE w.word <> '' GROUP BY w.word ORDER BY 2 LIMIT 16
	LOOP
		lexemes := shop.search_stems(word);
		CONTINUE WHEN lexemes IS NULL;
		corrected := NULL;
		q := (SELECT string_agg(quote_literal(l), ' | ') FROM unnest(lexemes) AS l)::tsquery;
		IF NOT EXISTS (SELECT FROM shop.search_words w WHERE w.word = search_parse.word)
			AND NOT EXISTS (SELECT FROM shop.product_search s WHERE s.doc @@ search_parse.q)
		THEN
			corrected := shop.search_correct(word);
			IF corrected IS NOT NULL THEN
				lexemes := coalesce(shop.search_stems(corrected), ARRAY[corrected]);
				q := (SELECT string_agg(quote_literal(l), ' | ') FROM unnest(lexemes) AS l)::tsquery;
			ELSIF length(word) >= 3 THEN
				lexemes := ARRAY[word];
				q := (quote_literal(word) || ':*')::tsquery;
			END IF;
		END IF;
		stems := cardinality(lexemes);
		RETURN NEXT;
	END LOOP;
END
$$;

-- $1 has query, category (slug), minPrice, maxPrice, brand, colour, featured, inStock, sortBy, limit, offset: all optional.
-- -> {"ids": ["12", ...], "total": n, "corrected": {"wrong": "right"}}. total counts every match, not only the returned ones.
-- A word's part in the score is its rarity times the weight of the fields that hold it, saturating for repetitions. With an
-- explicit sort order only good matches stay, or the cheapest bad match would come first.
CREATE OR REPLACE FUNCTION shop.search_ids(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	wants text := '';
	sort text := CASE args->>'sortBy'
		WHEN 'price-asc' THEN 'coalesce(p.sale_price_minor, p.price_minor) ASC NULLS LAST, p.id'
		WHEN 'price-desc' THEN 'coalesce(p.sale_price_minor, p.price_minor) DESC NULLS LAST, p.id'
		WHEN 'newest' THEN 'p.created_at DESC, p.id DESC'
		WHEN 'popular' THEN 'p.sold_count DESC, p.rating_avg DESC NULLS LAST, p.id' END;
	matches text;
	words integer;
	fixed json;
	queries tsquery[];
	stems integer[];
	category bigint[];
	result json;
BEGIN
	SELECT count(*), json_object_agg(s.word, s.corrected) FILTER (WHERE s.corrected IS NOT NULL),
		array_agg(s.q ORDER BY s.n), array_agg(s.stems ORDER BY s.n)
	  INTO words, fixed, queries, stems
	  FROM shop.search_parse(coalesce(args->>'query', '')) s;
	IF words = 0 AND args->>'query' ~ '[[:alnum:]]' THEN
		words := -1;                                 -- words were given, none of them means anything
	END IF;
	IF args->>'category' IS NOT NULL THEN
		category := shop.category_tree(args->>'category');
		wants := wants || ' AND p.category_id = ANY ($4)';
	END IF;
	IF args->>'minPrice' IS NOT NULL THEN
		wants := wants || ' AND souk.money(coalesce(p.sale_price_minor, p.price_minor), p.currency) >= ($1->>''minPrice'')::numeric';
	END IF;
	IF args->>'maxPrice' IS NOT NULL THEN
		wants := wants || ' AND souk.money(coalesce(p.sale_price_minor, p.price_minor), p.currency) <= ($1->>''maxPrice'')::numeric';
	END IF;
	IF args->>'brand' IS NOT NULL THEN
		wants := wants || ' AND souk.fold(p.brand) = souk.fold($1->>''brand'')';
	END IF;
	IF args->>'colour' IS NOT NULL THEN
		wants := wants || ' AND (souk.fold(p.colour) = souk.fold($1->>''colour'') OR p.colours <> ''{}'' AND EXISTS '
			'(SELECT FROM jsonb_each_text(p.colours) c WHERE souk.fold(c.value) = souk.fold($1->>''colour'')))';
	END IF;
	IF args->>'featured' = 'true' THEN
		wants := wants || ' AND p.featured';
	END IF;
	IF args->>'inStock' = 'true' THEN
		wants := wants || ' AND p.stock > 0';
	END IF;

	IF words > 0 THEN
		matches := 'WITH hit AS MATERIALIZED ('
			'SELECT w.n, s.product_id, ts_rank(''{0.1, 0.4, 0.8, 1}'', s.doc, w.q) * w.stems AS r '
			'FROM unnest($2, $3) WITH ORDINALITY AS w(q, stems, n) JOIN shop.product_search s ON s.doc @@ w.q '
			'), rare AS (SELECT n, ln(1 + (SELECT CASE WHEN reltuples > 0 THEN reltuples ELSE (SELECT count(*) FROM shop.product_search) END '
			'FROM pg_class WHERE oid = ''shop.product_search''::regclass) '
			'/ count(*)) AS idf FROM hit GROUP BY n '
			'), scored AS (SELECT product_id, sum(idf * r / (r + 0.3)) AS score, sum(idf) AS cover '
			'FROM hit JOIN rare USING (n) GROUP BY product_id '
			'), found AS MATERIALIZED (SELECT p.id, p.category_id, m.score, m.cover, row_number() OVER (ORDER BY '
			|| coalesce(sort, 'm.score DESC, p.stock > 0 DESC, p.sold_count DESC, p.id')
			|| ') AS place FROM scored m JOIN shop.products p ON p.id = m.product_id WHERE p.status = ''active''' || wants
			|| CASE WHEN sort IS NULL THEN '' ELSE ' AND m.cover >= 0.6 * (SELECT max(cover) FROM scored)' END || ')';
	ELSIF words = 0 THEN
		matches := 'WITH found AS (SELECT p.id, row_number() OVER (ORDER BY '
			|| coalesce(sort, 'p.sold_count DESC, p.rating_avg DESC NULLS LAST, p.id')
			|| ') AS place FROM shop.products p WHERE p.status = ''active''' || wants || ')';
	ELSE
		RETURN json_build_object('ids', '[]'::json, 'total', 0);
	END IF;
	EXECUTE matches || ' SELECT json_build_object(''ids'', coalesce((SELECT json_agg(id::text ORDER BY place) FROM found '
		'WHERE place > $5 AND place <= $5 + $6), ''[]''), ''total'', (SELECT count(*) FROM found), ''corrected'', $7)'
		INTO result
		USING args, queries, stems, category, coalesce((args->>'offset')::bigint, 0), coalesce((args->>'limit')::bigint, 10), fixed;
	RETURN result;
END
$$;
