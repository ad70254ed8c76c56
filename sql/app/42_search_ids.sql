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

-- All words of a query, as a stem or as the beginning of a word; NULL when the query holds no word that means anything.
CREATE OR REPLACE FUNCTION shop.search_all(query text) RETURNS tsquery
LANGUAGE sql STABLE
AS $$
SELECT string_agg('(' || s.q::text || ' | ' || quote_literal(s.word) || ':*)', ' & ')::tsquery FROM shop.search_parse(query) s
$$;

-- args: query, the filters of list_ids, sortBy (relevance unless given), limit, offset, all optional
-- -> {"ids": ["12", ...], "total": n, "corrected": {"wrong": "right"} or null}. total counts every match, not only the returned ones.
-- A word's part in the score is its rarity times the weight of the fields that hold it, saturating for repetitions. With an
-- explicit sort order only good matches stay, or the cheapest bad match would come first.
CREATE OR REPLACE FUNCTION shop.search_ids(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	fixed json;
	queries tsquery[];
	stems integer[];
	category bigint[];
	result json;
BEGIN
	IF coalesce(args->>'query', '') !~ '[[:alnum:]]' THEN
		RETURN shop.list_ids(args);
	END IF;
	SELECT json_object_agg(s.word, s.corrected) FILTER (WHERE s.corrected IS NOT NULL),
		array_agg(s.q ORDER BY s.n), array_agg(s.stems ORDER BY s.n)
	  INTO fixed, queries, stems
	  FROM shop.search_parse(args->>'query') s;
	IF queries IS NULL THEN
		RETURN json_build_object('ids', '[]'::json, 'total', 0);
	END IF;
	IF args->>'category' IS NOT NULL THEN
		category := shop.category_tree(args->>'category');
	END IF;
	EXECUTE 'WITH hit AS MATERIALIZED ('
		'SELECT w.n, s.product_id, ts_rank(''{0.1, 0.4, 0.8, 1}'', s.doc, w.q) * w.stems AS r '
		'FROM unnest($3, $4) WITH ORDINALITY AS w(q, stems, n) JOIN shop.product_search s ON s.doc @@ w.q '
		'), size AS (SELECT CASE WHEN reltuples > 0 THEN reltuples ELSE (SELECT count(*) FROM shop.product_search) END AS products '
		'FROM pg_class WHERE oid = ''shop.product_search''::regclass '
		'), rare AS (SELECT n, ln(1 + (SELECT products FROM size) / count(*)) AS idf FROM hit GROUP BY n '
		'), scored AS (SELECT product_id, sum(idf * r / (r + 0.3)) AS score, sum(idf) AS cover '
		'FROM hit JOIN rare USING (n) GROUP BY product_id '
		'), found AS MATERIALIZED (SELECT p.id, row_number() OVER (ORDER BY '
		|| shop.product_order(args->>'sortBy', 'm.score DESC, p.stock > 0 DESC, p.sold_count DESC, p.id')
		|| ') AS place FROM scored m JOIN shop.products p ON p.id = m.product_id WHERE ' || shop.product_conditions(args)
		|| CASE WHEN args->>'sortBy' IS NULL THEN '' ELSE ' AND m.cover >= 0.6 * (SELECT max(cover) FROM scored)' END
		|| ') SELECT json_build_object(''ids'', coalesce((SELECT json_agg(id::text ORDER BY place) FROM found '
		'WHERE place > $5 AND place <= $5 + $6), ''[]''), ''total'', (SELECT count(*) FROM found), ''corrected'', $7)'
		INTO result
		USING args, category, queries, stems, coalesce((args->>'offset')::bigint, 0), coalesce((args->>'limit')::bigint, 10), fixed;
	RETURN result;
END
$$;
