-- Policies and frequent questions: which one holds, and what they say.

-- Where the shop is, for who does not say where they are.
CREATE OR REPLACE FUNCTION shop.home_country() RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT s.value #>> '{}' FROM souk.settings s WHERE s.key = 'shop.country' AND s.value #>> '{}' ~ '^[A-Z]{2}$');
END
$$;

-- Does the policy hold there, for such a product, on that day?
CREATE OR REPLACE FUNCTION shop.policy_holds(p shop.policies, country text, path_ids bigint[], mark text, day date) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
SELECT day >= p.valid_from AND day <= coalesce(p.valid_to, day) AND (p.countries = '{}' OR country = ANY (p.countries))
	AND (p.mark IS NULL OR p.mark = policy_holds.mark) AND (p.category_id IS NULL OR p.category_id = ANY (policy_holds.path_ids))
$$;

-- How particular it is: the mark of a product counts more than its category, the category more than the country, one country more than many.
CREATE OR REPLACE FUNCTION shop.policy_rank(p shop.policies, path_ids bigint[]) RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$
SELECT CASE WHEN p.mark IS NULL THEN 0 ELSE 1000 END + 10 * coalesce(array_position(path_ids, p.category_id), 0)
	+ CASE WHEN p.countries = '{}' THEN 0 ELSE greatest(10 - cardinality(p.countries), 1) END
$$;

-- The policy of that name that holds; NULL when there is none.
CREATE OR REPLACE FUNCTION shop.policy_for(wanted text, country text, category bigint, product_mark text, day date) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	up bigint[] := coalesce((SELECT c.path_ids FROM shop.categories c WHERE c.id = category), '{}');
BEGIN
	RETURN (SELECT p.id FROM shop.policies p
		 WHERE p.name = wanted AND shop.policy_holds(p, policy_for.country, up, product_mark, day)
		 ORDER BY shop.policy_rank(p, up) DESC, p.valid_from DESC, p.id DESC LIMIT 1);
END
$$;

-- The rule for a return on that ground: of the most particular policy that says anything about it, so that an exception for one ground leaves
-- the other as it is.
CREATE OR REPLACE FUNCTION shop.return_rule(wanted_ground text, country text, category bigint, product_mark text, day date)
RETURNS shop.return_rules
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	up bigint[] := coalesce((SELECT c.path_ids FROM shop.categories c WHERE c.id = category), '{}');
	rule shop.return_rules;
BEGIN
	SELECT r.* INTO rule
	  FROM shop.policies p JOIN shop.return_rules r ON r.policy_id = p.id
	 WHERE p.name = 'return' AND r.ground = wanted_ground AND shop.policy_holds(p, return_rule.country, up, product_mark, day)
	 ORDER BY shop.policy_rank(p, up) DESC, p.valid_from DESC, p.id DESC LIMIT 1;
	RETURN rule;
END
$$;

CREATE OR REPLACE FUNCTION shop.return_rule_json(r shop.return_rules) RETURNS json
LANGUAGE sql STABLE
AS $$
SELECT CASE WHEN r.policy_id IS NOT NULL THEN json_strip_nulls(json_build_object(
	'allowed', r.allowed,
	'days', r.days,
	'condition', r.condition,
	'exception', r.exception,
	'returnCostPaidBy', r.cost_paid_by,
	'returnCost', CASE WHEN r.cost_paid_by = 'customer' AND r.label THEN souk.money(r.label_cost_minor, r.currency) END,
	'currency', CASE WHEN r.cost_paid_by = 'customer' AND r.label THEN r.currency END,
	'label', r.label,
	'shippingRefunded', r.refund_shipping,
	'refundDays', r.refund_days)) END
$$;

-- The text in the wanted language, else in English, else in any.
CREATE OR REPLACE FUNCTION shop.policy_text(policy bigint, locale text) RETURNS shop.policy_texts
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	t shop.policy_texts;
BEGIN
	SELECT x.* INTO t FROM shop.policy_texts x WHERE x.policy_id = policy
	 ORDER BY x.lang = policy_text.locale DESC, x.lang = 'en' DESC, x.lang LIMIT 1;
	RETURN t;
END
$$;

-- All policies of a name that hold on that day, the general ones first, in one language.
CREATE OR REPLACE FUNCTION shop.policies_json(wanted text, locale text, day date) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
			'code', p.code,
			'title', (t.x).title,
			'text', (t.x).body,
			'instructions', (t.x).instructions,
			'locale', (t.x).lang,
			'countries', CASE WHEN p.countries <> '{}' THEN to_json(p.countries) END,
			'categorySlug', c.slug,
			'appliesTo', p.mark,
			'validFrom', p.valid_from,
			'validTo', p.valid_to,
			'updatedAt', souk.rfc3339(p.updated_at),
			'withdrawal', (SELECT shop.return_rule_json(r) FROM shop.return_rules r WHERE r.policy_id = p.id AND r.ground = 'withdrawal'),
			'defect', (SELECT shop.return_rule_json(r) FROM shop.return_rules r WHERE r.policy_id = p.id AND r.ground = 'defect'),
			'details', CASE WHEN p.details <> '{}' THEN p.details END))
			ORDER BY p.mark NULLS FIRST, cardinality(coalesce(c.path_ids, '{}')), p.countries, p.code), '[]')
		  FROM (SELECT q.* FROM shop.policies q
			 WHERE q.name = wanted AND day >= q.valid_from AND day <= coalesce(q.valid_to, day) ORDER BY q.code LIMIT 100) p
		  LEFT JOIN shop.categories c ON c.id = p.category_id
		  CROSS JOIN LATERAL (SELECT shop.policy_text(p.id, policies_json.locale) AS x) t
		 WHERE (t.x).policy_id IS NOT NULL);
END
$$;

-- What get_return_policy answers: the rules for such a product there, and which exceptions there are.
CREATE OR REPLACE FUNCTION shop.return_policy_json(category bigint, country text, order_age integer, locale text) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	today date := (now() AT TIME ZONE 'UTC')::date;
	day date := today - coalesce(order_age, 0);
	place text := coalesce(country, shop.home_country());
	policy bigint := shop.policy_for('return', place, category, NULL, day);
	said shop.policy_texts := shop.policy_text(policy, locale);
	free shop.return_rules := shop.return_rule('withdrawal', place, category, NULL, day);
	faulty shop.return_rules := shop.return_rule('defect', place, category, NULL, day);
BEGIN
	IF policy IS NULL OR said.policy_id IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN json_strip_nulls(json_build_object(
		'code', (SELECT p.code FROM shop.policies p WHERE p.id = policy),
		'title', said.title,
		'text', said.body,
		'instructions', said.instructions,
		'locale', said.lang,
		'country', place,
		'category', (SELECT shop.category_ref(c, return_policy_json.locale) FROM shop.categories c WHERE c.id = category),
		'withdrawal', shop.return_rule_json(free),
		'defect', shop.return_rule_json(faulty),
		'orderAge', order_age,
		'withinReturnPeriod', CASE WHEN order_age IS NOT NULL THEN coalesce(free.allowed AND order_age <= free.days, false) END,
		'exceptions', (SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
				'exception', coalesce(p.mark, r.exception), 'title', (t.x).title, 'text', (t.x).body, 'categorySlug', c.slug)) ORDER BY p.code), '[]')
			  FROM shop.policies p LEFT JOIN shop.return_rules r ON r.policy_id = p.id AND r.ground = 'withdrawal'
			  LEFT JOIN shop.categories c ON c.id = p.category_id
			  CROSS JOIN LATERAL (SELECT shop.policy_text(p.id, return_policy_json.locale) AS x) t
			 WHERE p.name = 'return' AND p.id <> policy AND (p.mark IS NOT NULL OR NOT r.allowed) AND (t.x).policy_id IS NOT NULL
			   AND shop.policy_holds(p, place, coalesce(c.path_ids, '{}'), p.mark, day)
			   AND (category IS NULL OR c.id IS NULL OR c.id = ANY (SELECT unnest(x.path_ids) FROM shop.categories x WHERE x.id = category)))));
END
$$;

-- ---- frequent questions

-- The document of a text, folded and stemmed as queries are, and its words for corrections, without those that mean nothing.
CREATE OR REPLACE FUNCTION shop.faq_index() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
	config regconfig := souk.ts_config(NEW.lang);
	asked text := translate(souk.fold(NEW.question), '-_/''', '    ');
	other text := translate(souk.fold(NEW.keywords), '-_/''', '    ');
	told text := translate(souk.fold(NEW.answer), '-_/''', '    ');
BEGIN
	NEW.doc := setweight(to_tsvector(config, asked), 'A') || setweight(to_tsvector(config, other), 'B') || setweight(to_tsvector(config, told), 'D');
	NEW.words := ARRAY(SELECT d.w FROM (SELECT DISTINCT w FROM regexp_split_to_table(concat_ws(' ', asked, other, told), '[^[:alnum:]]+') AS w
			WHERE length(w) BETWEEN 3 AND 40) d
		WHERE shop.search_stems(d.w) IS NOT NULL ORDER BY d.w LIMIT 2000);
	RETURN NEW;
END
$$;
DROP TRIGGER IF EXISTS faq_texts_index ON shop.faq_texts;
CREATE TRIGGER faq_texts_index BEFORE INSERT OR UPDATE ON shop.faq_texts FOR EACH ROW EXECUTE FUNCTION shop.faq_index();

-- Which words of a question no entry has, in any form or by a synonym, and all written words to correct them by; NULL when all are known.
CREATE OR REPLACE FUNCTION shop.faq_unknown(words jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	unknown integer[];
BEGIN
	SELECT array_agg(w.n - 1 ORDER BY w.n) INTO unknown
	  FROM jsonb_array_elements(words) WITH ORDINALITY AS w(list, n)
	 WHERE shop.search_stems(w.list->>0) IS NOT NULL   -- those that mean nothing are not wrong
	   AND NOT EXISTS (SELECT FROM jsonb_array_elements_text(w.list) AS a(word), unnest(shop.search_stems(a.word)) AS s
			JOIN shop.faq_texts t ON t.doc @@ quote_literal(s)::tsquery);
	IF unknown IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN json_build_object('unknown', to_json(unknown), 'words', (SELECT string_agg(x.word, ' ' ORDER BY x.word)
		  FROM (SELECT DISTINCT unnest(t.words) AS word FROM shop.faq_texts t JOIN shop.faqs f ON f.id = t.faq_id WHERE f.active LIMIT 20000) x));
END
$$;

-- words: [["delai", "duree"], ...], for each word of the question all that count for it -> {"results": [...], "total": n}. An entry is one result, in
-- the wanted language when it has it, else in that in which it was found. A word's part in the score is its rarity times the weight of where it
-- stands, as in shop.search_ids; entries that miss most of what was asked are left out.
CREATE OR REPLACE FUNCTION shop.faq_search(words jsonb, only_category text, locale text, how_many integer) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (WITH asked AS MATERIALIZED (
		SELECT w.n, (SELECT string_agg(DISTINCT quote_literal(s), ' | ')
			  FROM jsonb_array_elements_text(w.list) AS a(word), unnest(shop.search_stems(a.word)) AS s)::tsquery AS q
		  FROM jsonb_array_elements(words) WITH ORDINALITY AS w(list, n)
	), hit AS MATERIALIZED (
		SELECT a.n, t.faq_id, t.lang, ts_rank('{0.1, 0.4, 0.8, 1}', t.doc, a.q) AS r
		  FROM asked a JOIN shop.faq_texts t ON t.doc @@ a.q JOIN shop.faqs f ON f.id = t.faq_id AND f.active
		 WHERE a.q IS NOT NULL AND (only_category IS NULL OR f.category = only_category)
	), rare AS (
		SELECT a.n, ln(1 + (SELECT count(*) FROM shop.faqs)::numeric / (1 + (SELECT count(DISTINCT h.faq_id) FROM hit h WHERE h.n = a.n)))::float8 AS idf
		  FROM asked a WHERE a.q IS NOT NULL
	), scored AS (
		SELECT h.faq_id, h.lang, sum(i.idf * (0.3 + h.r / (h.r + 0.3))) AS score, sum(i.idf) AS cover
		  FROM hit h JOIN rare i USING (n) GROUP BY h.faq_id, h.lang
	), best AS (
		SELECT DISTINCT ON (s.faq_id) s.faq_id, s.lang, s.score, s.cover FROM scored s ORDER BY s.faq_id, s.score DESC, s.lang = faq_search.locale DESC
	), kept AS (
		SELECT b.*, row_number() OVER (ORDER BY b.score DESC, b.faq_id) AS place FROM best b WHERE b.cover >= 0.34 * (SELECT sum(idf) FROM rare)
	)
	SELECT json_build_object(
		'results', (SELECT coalesce(json_agg(json_build_object('id', f.code, 'question', t.question, 'answer', t.answer, 'category', f.category,
				'locale', t.lang, 'score', round(k.score::numeric, 3), 'updatedAt', souk.rfc3339(f.updated_at)) ORDER BY k.place), '[]')
			  FROM kept k JOIN shop.faqs f ON f.id = k.faq_id
			  JOIN LATERAL (SELECT x.* FROM shop.faq_texts x WHERE x.faq_id = f.id
				ORDER BY x.lang = faq_search.locale DESC, x.lang = k.lang DESC LIMIT 1) t ON true
			 WHERE k.place <= how_many),
		'total', (SELECT count(*) FROM kept)));
END
$$;

-- Entries in order, in one language as far as they have it.
CREATE OR REPLACE FUNCTION shop.faqs_json(only_category text, locale text, start integer, page_size integer) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	all_rows bigint := (SELECT count(*) FROM shop.faqs f WHERE f.active AND (only_category IS NULL OR f.category = only_category));
BEGIN
	RETURN json_strip_nulls(json_build_object(
		'entries', (SELECT coalesce(json_agg(json_build_object('id', f.code, 'question', t.question, 'answer', t.answer, 'category', f.category,
				'locale', t.lang, 'updatedAt', souk.rfc3339(f.updated_at)) ORDER BY f.category, f.position, f.id), '[]')
			  FROM (SELECT y.* FROM shop.faqs y WHERE y.active AND (only_category IS NULL OR y.category = only_category)
				ORDER BY y.category, y.position, y.id OFFSET start LIMIT page_size) f
			  JOIN LATERAL (SELECT x.* FROM shop.faq_texts x WHERE x.faq_id = f.id
				ORDER BY x.lang = faqs_json.locale DESC, x.lang = 'en' DESC, x.lang LIMIT 1) t ON true),
		'total', all_rows,
		'nextCursor', souk.cursor_next(start, page_size, all_rows)));
END
$$;

-- Whoever reads these resources is told when they change.
CREATE OR REPLACE FUNCTION shop.policies_tell() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_notify('souk_changes', 'souk://policies/*');
	RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION shop.faqs_tell() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_notify('souk_changes', 'souk://faq'), pg_notify('souk_changes', 'souk://faq/*');
	RETURN NULL;
END
$$;
DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['policies', 'policy_texts', 'return_rules', 'faqs', 'faq_texts'] LOOP
		EXECUTE format('DROP TRIGGER IF EXISTS %s_tell ON shop.%s', t, t);
		EXECUTE format('CREATE TRIGGER %s_tell AFTER INSERT OR UPDATE OR DELETE ON shop.%s FOR EACH STATEMENT EXECUTE FUNCTION shop.%s_tell()',
			t, t, CASE WHEN t LIKE 'faq%' THEN 'faqs' ELSE 'policies' END);
	END LOOP;
END
$$;
