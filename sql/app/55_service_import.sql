-- Policies and frequent questions as documents: `souk policy export` writes what `souk policy import` reads, likewise `souk faq`. One bad entry
-- is told and left out, good ones are kept; an entry that is not in the document stays, unless everything is replaced.

-- Refuse members that nobody knows: a misspelt one would be lost in silence.
CREATE OR REPLACE FUNCTION shop.doc_members(o jsonb, place text, known text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	bad text;
BEGIN
	IF jsonb_typeof(o) IS DISTINCT FROM 'object' THEN
		PERFORM souk.fail('SK400', place || ': must be an object');
	END IF;
	SELECT min(k) INTO bad FROM jsonb_object_keys(o) k WHERE k <> ALL (known);
	IF bad IS NOT NULL THEN
		PERFORM souk.fail('SK400', format('%s: unknown member %s; known are %s', place, bad, array_to_string(known, ', ')));
	END IF;
END
$$;

-- A member as text; SK400 when it has another type or is longer.
CREATE OR REPLACE FUNCTION shop.doc_text(o jsonb, member text, place text, longest integer, needed boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	v text := o->>member;
BEGIN
	IF v IS NULL AND needed THEN
		PERFORM souk.fail('SK400', format('%s.%s: is missing', place, member));
	ELSIF v IS NOT NULL AND jsonb_typeof(o->member) <> 'string' THEN
		PERFORM souk.fail('SK400', format('%s.%s: must be a text', place, member));
	ELSIF length(v) > longest OR (needed AND trim(v) = '') THEN
		PERFORM souk.fail('SK400', format('%s.%s: must have 1 to %s characters', place, member, longest));
	END IF;
	RETURN v;
END
$$;

CREATE OR REPLACE FUNCTION shop.doc_choice(o jsonb, member text, place text, choices text[], otherwise text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF o->>member IS NOT NULL AND (o->>member) <> ALL (choices) THEN
		PERFORM souk.fail('SK400', format('%s.%s: one of %s is expected', place, member, array_to_string(choices, ', ')));
	ELSIF o->>member IS NULL AND otherwise IS NULL THEN
		PERFORM souk.fail('SK400', format('%s.%s: is missing', place, member));
	END IF;
	RETURN coalesce(o->>member, otherwise);
END
$$;

CREATE OR REPLACE FUNCTION shop.doc_flag(o jsonb, member text, place text, otherwise boolean) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF coalesce(jsonb_typeof(o->member), 'null') NOT IN ('boolean', 'null') THEN
		PERFORM souk.fail('SK400', format('%s.%s: must be true or false', place, member));
	END IF;
	RETURN coalesce((o->>member)::boolean, otherwise);
END
$$;

CREATE OR REPLACE FUNCTION shop.doc_number(o jsonb, member text, place text, least_value numeric, most_value numeric, otherwise numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	v jsonb := o->member;
BEGIN
	IF coalesce(jsonb_typeof(v), 'null') = 'null' THEN
		IF otherwise IS NULL THEN
			PERFORM souk.fail('SK400', format('%s.%s: is missing', place, member));
		END IF;
		RETURN otherwise;
	ELSIF jsonb_typeof(v) <> 'number' OR (v #>> '{}')::numeric < least_value OR (v #>> '{}')::numeric > most_value THEN
		PERFORM souk.fail('SK400', format('%s.%s: must be a number from %s to %s', place, member, least_value, most_value));
	END IF;
	RETURN (v #>> '{}')::numeric;
END
$$;

CREATE OR REPLACE FUNCTION shop.doc_date(o jsonb, member text, place text) RETURNS date
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF o->>member !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
		PERFORM souk.fail('SK400', format('%s.%s: a day as YYYY-MM-DD is expected', place, member));
	END IF;
	RETURN (o->>member)::date;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
	PERFORM souk.fail('SK400', format('%s.%s: there is no such day', place, member));
	RETURN NULL;
END
$$;

-- A return rule of a policy: its row.
CREATE OR REPLACE FUNCTION shop.rule_of_doc(o jsonb, place text, policy bigint, wanted_ground text) RETURNS shop.return_rules
LANGUAGE plpgsql
AS $$
DECLARE
	r shop.return_rules;
BEGIN
	PERFORM shop.doc_members(o, place, '{allowed,days,condition,exception,automatic,label,returnCost,currency,returnCostPaidBy,shippingRefunded,refundDays}');
	r.policy_id := policy;
	r.ground := wanted_ground;
	r.allowed := shop.doc_flag(o, 'allowed', place, true);
	r.days := shop.doc_number(o, 'days', place, 0, 3650, CASE WHEN r.allowed THEN NULL ELSE 0 END);
	r.condition := shop.doc_choice(o, 'condition', place, '{any,unused,unopened}', 'any');
	r.exception := shop.doc_text(o, 'exception', place, 40, NOT r.allowed);
	IF r.exception !~ '^[a-z][a-z_]*$' THEN
		PERFORM souk.fail('SK400', place || '.exception: lower case letters and _ are expected');
	END IF;
	r.automatic := shop.doc_flag(o, 'automatic', place, false);
	r.label := shop.doc_flag(o, 'label', place, false);
	r.cost_paid_by := shop.doc_choice(o, 'returnCostPaidBy', place, '{customer,shop}', 'customer');
	r.refund_shipping := shop.doc_choice(o, 'shippingRefunded', place, '{never,full_order,always}', 'full_order');
	r.refund_days := shop.doc_number(o, 'refundDays', place, 0, 365, 14);
	r.currency := coalesce(shop.doc_text(o, 'currency', place, 3, false), (SELECT s.value #>> '{}' FROM souk.settings s WHERE s.key = 'shop.currency'), 'EUR');
	IF r.currency !~ '^[A-Z]{3}$' THEN
		PERFORM souk.fail('SK400', place || '.currency: an ISO 4217 code is expected');
	END IF;
	r.label_cost_minor := souk.minor(shop.doc_number(o, 'returnCost', place, 0, 1000000, 0), r.currency);
	RETURN r;
END
$$;

-- The texts of an entry: {"en": {...}, ...}; checks the languages.
CREATE OR REPLACE FUNCTION shop.doc_texts(o jsonb, place text) RETURNS TABLE (lang text, said jsonb, at text)
LANGUAGE plpgsql
AS $$
BEGIN
	IF jsonb_typeof(o->'texts') IS DISTINCT FROM 'object' OR o->'texts' = '{}' THEN
		PERFORM souk.fail('SK400', place || '.texts: an object with a text for each language is expected, {"en": {...}}');
	END IF;
	FOR lang, said IN SELECT t.key, t.value FROM jsonb_each(o->'texts') t LOOP
		at := format('%s.texts.%s', place, lang);
		IF lang !~ '^[a-z]{2}$' THEN
			PERFORM souk.fail('SK400', at || ': a language of two letters is expected');
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;

-- One policy; true when it is new.
CREATE OR REPLACE FUNCTION shop.policy_of_doc(o jsonb, place text) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
	p shop.policies;
	is_new boolean;
	t record;
	kind text;
BEGIN
	PERFORM shop.doc_members(o, place, '{code,name,countries,category,appliesTo,validFrom,validTo,details,texts,withdrawal,defect}');
	p.code := shop.doc_text(o, 'code', place, 63, true);
	IF p.code !~ '^[a-z0-9][a-z0-9_-]*$' THEN
		PERFORM souk.fail('SK400', place || '.code: lower case letters, digits, - and _ are expected');
	END IF;
	p.name := shop.doc_choice(o, 'name', place, '{return,shipping,privacy,terms,payment}', NULL);
	IF o ? 'countries' AND (jsonb_typeof(o->'countries') <> 'array' OR o->>'countries' !~ '^\[("[A-Z]{2}"(, )?)*\]$') THEN
		PERFORM souk.fail('SK400', place || '.countries: a list of two-letter codes in capitals is expected');
	END IF;
	p.countries := ARRAY(SELECT DISTINCT x FROM jsonb_array_elements_text(coalesce(o->'countries', '[]')) x ORDER BY x);
	IF shop.doc_text(o, 'category', place, 200, false) IS NOT NULL THEN
		SELECT c.id INTO p.category_id FROM shop.categories c WHERE c.slug = o->>'category';
		IF p.category_id IS NULL THEN
			PERFORM souk.fail('SK400', format('%s.category: there is no category %s', place, o->>'category'));
		END IF;
	END IF;
	p.mark := shop.doc_text(o, 'appliesTo', place, 40, false);
	IF p.mark !~ '^[a-z][a-z_]*$' THEN
		PERFORM souk.fail('SK400', place || '.appliesTo: lower case letters and _ are expected');
	END IF;
	p.valid_from := coalesce(shop.doc_date(o, 'validFrom', place), '2000-01-01');
	p.valid_to := shop.doc_date(o, 'validTo', place);
	IF p.valid_to < p.valid_from THEN
		PERFORM souk.fail('SK400', place || '.validTo: is before validFrom');
	END IF;
	p.details := coalesce(o->'details', '{}');
	IF jsonb_typeof(p.details) <> 'object' OR length(p.details::text) > 20000 THEN
		PERFORM souk.fail('SK400', place || '.details: an object of at most 20,000 characters is expected');
	END IF;
	IF p.name <> 'return' AND (o ? 'withdrawal' OR o ? 'defect') THEN
		PERFORM souk.fail('SK400', place || ': withdrawal and defect belong to return policies');
	ELSIF p.name = 'return' AND NOT (o ? 'withdrawal' OR o ? 'defect') THEN
		PERFORM souk.fail('SK400', place || ': a return policy needs withdrawal, defect or both');
	END IF;
	INSERT INTO shop.policies AS x (code, name, countries, category_id, mark, valid_from, valid_to, details)
	VALUES (p.code, p.name, p.countries, p.category_id, p.mark, p.valid_from, p.valid_to, p.details)
	ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, countries = EXCLUDED.countries, category_id = EXCLUDED.category_id, mark = EXCLUDED.mark,
		valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to, details = EXCLUDED.details, updated_at = now()
	RETURNING x.id, x.xmax = 0 INTO p.id, is_new;
	DELETE FROM shop.policy_texts x WHERE x.policy_id = p.id;
	DELETE FROM shop.return_rules x WHERE x.policy_id = p.id;
	FOR t IN SELECT * FROM shop.doc_texts(o, place) LOOP
		PERFORM shop.doc_members(t.said, t.at, '{title,text,instructions}');
		INSERT INTO shop.policy_texts (policy_id, lang, title, body, instructions)
		VALUES (p.id, t.lang, shop.doc_text(t.said, 'title', t.at, 200, true), shop.doc_text(t.said, 'text', t.at, 20000, true),
			shop.doc_text(t.said, 'instructions', t.at, 4000, false));
	END LOOP;
	FOREACH kind IN ARRAY ARRAY['withdrawal', 'defect'] LOOP
		IF o ? kind THEN
			INSERT INTO shop.return_rules SELECT (shop.rule_of_doc(o->kind, place || '.' || kind, p.id, kind)).*;
		END IF;
	END LOOP;
	RETURN is_new;
END
$$;

CREATE OR REPLACE FUNCTION shop.faq_of_doc(o jsonb, place text) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
	f shop.faqs;
	is_new boolean;
	t record;
BEGIN
	PERFORM shop.doc_members(o, place, '{code,category,position,active,texts}');
	f.code := shop.doc_text(o, 'code', place, 63, true);
	IF f.code !~ '^[a-z0-9][a-z0-9_-]*$' THEN
		PERFORM souk.fail('SK400', place || '.code: lower case letters, digits, - and _ are expected');
	END IF;
	f.category := shop.doc_choice(o, 'category', place, '{shipping,returns,payment,products,account}', NULL);
	f.position := shop.doc_number(o, 'position', place, -1000000, 1000000, 0);
	f.active := shop.doc_flag(o, 'active', place, true);
	INSERT INTO shop.faqs AS x (code, category, position, active) VALUES (f.code, f.category, f.position, f.active)
	ON CONFLICT (code) DO UPDATE SET category = EXCLUDED.category, position = EXCLUDED.position, active = EXCLUDED.active, updated_at = now()
	RETURNING x.id, x.xmax = 0 INTO f.id, is_new;
	DELETE FROM shop.faq_texts x WHERE x.faq_id = f.id;
	FOR t IN SELECT * FROM shop.doc_texts(o, place) LOOP
		PERFORM shop.doc_members(t.said, t.at, '{question,answer,keywords}');
		INSERT INTO shop.faq_texts (faq_id, lang, question, answer, keywords)
		VALUES (f.id, t.lang, shop.doc_text(t.said, 'question', t.at, 500, true), shop.doc_text(t.said, 'answer', t.at, 8000, true),
			coalesce(shop.doc_text(t.said, 'keywords', t.at, 1000, false), ''));
	END LOOP;
	RETURN is_new;
END
$$;

-- The document {"policies": [...]} or {"faqs": [...]} -> {"created", "updated", "removed", "errors": [...]}. all_of_it: what it does not name goes away,
-- unless an entry is bad.
CREATE OR REPLACE FUNCTION shop.service_import(what text, doc jsonb, all_of_it boolean) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	e record;
	codes text[] := '{}';
	created integer := 0;
	updated integer := 0;
	removed integer := 0;
	errors text[] := '{}';
	is_new boolean;
BEGIN
	PERFORM shop.doc_members(doc, 'document', ARRAY[what]);
	IF jsonb_typeof(doc->what) IS DISTINCT FROM 'array' THEN
		PERFORM souk.fail('SK400', what || ': a list is expected');
	END IF;
	FOR e IN SELECT x.item, format('%s[%s]', what, x.n - 1) AS at FROM jsonb_array_elements(doc->what) WITH ORDINALITY AS x(item, n) LOOP
		BEGIN
			is_new := CASE what WHEN 'policies' THEN shop.policy_of_doc(e.item, e.at) ELSE shop.faq_of_doc(e.item, e.at) END;
			IF e.item->>'code' = ANY (codes) THEN
				PERFORM souk.fail('SK400', format('%s.code: %s is there twice', e.at, e.item->>'code'));
			END IF;
			codes := codes || (e.item->>'code');
			IF is_new THEN
				created := created + 1;
			ELSE
				updated := updated + 1;
			END IF;
		EXCEPTION WHEN SQLSTATE 'SK400' THEN
			errors := errors || SQLERRM;
		END;
	END LOOP;
	IF all_of_it AND errors = '{}' THEN
		IF what = 'policies' THEN
			DELETE FROM shop.policies p WHERE p.code <> ALL (codes);
		ELSE
			DELETE FROM shop.faqs f WHERE f.code <> ALL (codes);
		END IF;
		GET DIAGNOSTICS removed = ROW_COUNT;
	END IF;
	PERFORM souk.audit_note(what || '.import', '', jsonb_build_object('created', created, 'updated', updated, 'removed', removed, 'bad', cardinality(errors)));
	RETURN json_build_object('created', created, 'updated', updated, 'removed', removed, 'errors', to_json(errors));
END
$$;

CREATE OR REPLACE FUNCTION shop.rule_doc(r shop.return_rules) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
SELECT jsonb_strip_nulls(jsonb_build_object('allowed', r.allowed, 'days', r.days, 'condition', r.condition, 'exception', r.exception, 'automatic', r.automatic,
	'label', r.label, 'returnCost', souk.money(r.label_cost_minor, r.currency), 'currency', r.currency, 'returnCostPaidBy', r.cost_paid_by,
	'shippingRefunded', r.refund_shipping, 'refundDays', r.refund_days))
$$;

CREATE OR REPLACE FUNCTION shop.service_export(what text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF what = 'policies' THEN
		RETURN jsonb_pretty(jsonb_build_object('policies', (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
			'code', p.code, 'name', p.name, 'countries', CASE WHEN p.countries <> '{}' THEN to_jsonb(p.countries) END,
			'category', (SELECT c.slug FROM shop.categories c WHERE c.id = p.category_id), 'appliesTo', p.mark,
			'validFrom', CASE WHEN p.valid_from > '2000-01-01' THEN p.valid_from END, 'validTo', p.valid_to,
			'details', CASE WHEN p.details <> '{}' THEN p.details END,
			'texts', (SELECT jsonb_object_agg(t.lang, jsonb_strip_nulls(jsonb_build_object('title', t.title, 'text', t.body, 'instructions', t.instructions)))
				FROM shop.policy_texts t WHERE t.policy_id = p.id),
			'withdrawal', (SELECT shop.rule_doc(r) FROM shop.return_rules r WHERE r.policy_id = p.id AND r.ground = 'withdrawal'),
			'defect', (SELECT shop.rule_doc(r) FROM shop.return_rules r WHERE r.policy_id = p.id AND r.ground = 'defect')))
			ORDER BY p.name, p.code), '[]') FROM shop.policies p)));
	END IF;
	RETURN jsonb_pretty(jsonb_build_object('faqs', (SELECT coalesce(jsonb_agg(jsonb_build_object('code', f.code, 'category', f.category,
		'position', f.position, 'active', f.active,
		'texts', (SELECT jsonb_object_agg(t.lang, jsonb_strip_nulls(jsonb_build_object('question', t.question, 'answer', t.answer,
				'keywords', nullif(t.keywords, '')))) FROM shop.faq_texts t WHERE t.faq_id = f.id)) ORDER BY f.category, f.position, f.code), '[]')
		FROM shop.faqs f)));
END
$$;
