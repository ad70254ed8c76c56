-- Questions about products, answered from what the catalogue says. No model: a fact is recognised by its words in four languages, the product
-- by its name; what is not in the data is not known.

-- The facts that a question may ask for, by folded words. The first that fits and has a value is the answer.
CREATE OR REPLACE FUNCTION shop.question_facts(folded text) RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
SELECT coalesce(array_agg(f.name ORDER BY f.place), '{}') FROM (VALUES
	(1, 'price', '\m(price|prix|precio|preis|cost|costs|coute|coutent|cuesta|cuestan|kostet|kosten|how much|combien|cuanto|wie viel|wieviel|tarif)\M'),
	(2, 'stock', '\m(stock|available|availability|in store|disponible|disponibilite|disponibilidad|dispo|lieferbar|verfugbar|lager|vorratig|left|reste|quedan)\M'),
	(3, 'dimensions', '\m(dimension|dimensions|size|sizes|taille|mesure|mesures|medida|medidas|tamano|grosse|masse|abmessung|abmessungen|wide|width|large|largeur|ancho|breit|breite|tall|high|height|haut|hauteur|alto|altura|hoch|hohe|deep|depth|profondeur|profundidad|tief|tiefe|long|length|longueur|largo|lang|lange|diameter|diametre|diametro|durchmesser)\M'),
	(4, 'material', '\m(material|materials|matiere|matieres|materiau|materiaux|materia|stoff|made of|made from|fait en|fabrique en|hecho de|besteht aus|composition|composicion|zusammensetzung|fabric|tissu|tejido)\M'),
	(5, 'colour', '\m(colour|colours|color|colors|couleur|couleurs|coloris|colores|farbe|farben)\M'),
	(6, 'brand', '\m(brand|make|manufacturer|marque|fabricant|marca|fabricante|marke|hersteller)\M'),
	(7, 'variants', '\m(variant|variants|variante|variantes|varianten|option|options|opciones|version|versions|versiones|versionen|models|modeles)\M'),
	(8, 'rating', '\m(rating|ratings|review|reviews|avis|note|notes|opinion|opinions|opiniones|valoracion|bewertung|bewertungen|stars|etoiles|estrellas|sterne)\M'),
	(9, 'style', '\m(style|estilo|stil)\M'),
	(10, 'collection', '\m(collection|coleccion|kollektion|gamme|range)\M'),
	(11, 'category', '\m(category|categorie|categoria|kategorie|kind of product)\M')) AS f(place, name, words)
WHERE folded ~ f.words
$$;

-- The policy that a question is about, by its words: its name, or NULL.
CREATE OR REPLACE FUNCTION shop.question_policy(folded text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
SELECT CASE
	WHEN folded ~ '\m(return|returns|retour|retours|retourner|devolver|devolucion|devoluciones|rucksendung|zuruckgeben|zuruckschicken|widerruf|withdrawal|refund|refunds|rembourse|remboursement|reembolso|erstattung|send back|renvoyer)\M' THEN 'return'
	WHEN folded ~ '\m(shipping|delivery|deliver|livraison|livrer|livrez|expedition|envio|entrega|versand|lieferung|liefern)\M' THEN 'shipping'
	WHEN folded ~ '\m(privacy|personal data|donnees|confidentialite|privacidad|datos|datenschutz)\M' THEN 'privacy'
	WHEN folded ~ '\m(terms|conditions|cgv|condiciones|agb)\M' THEN 'terms'
	WHEN folded ~ '\m(payment|pay|paiement|payer|pago|pagar|zahlung|bezahlen)\M' THEN 'payment' END
$$;

-- Which of the candidates a question names: by SKU, else by most words of its name; NULL when no name has two of them, or none has most.
CREATE OR REPLACE FUNCTION shop.question_product(folded text, candidates bigint[], locale text) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	best bigint;
BEGIN
	WITH named AS (
		SELECT p.id, (SELECT count(*) FROM (SELECT DISTINCT w FROM regexp_split_to_table(souk.fold(coalesce(p.names->>locale, p.name) || ' ' || p.name), '[^a-z0-9]+') w
				WHERE length(w) >= 3 AND folded ~ ('\m' || w || '\M')) x) AS words, position(souk.fold(p.sku) IN folded) > 0 AS by_sku
		  FROM shop.products p WHERE p.id = ANY (candidates) AND p.status = 'active'
	), ranked AS (
		SELECT *, rank() OVER (ORDER BY by_sku DESC, words DESC) AS place FROM named WHERE by_sku OR words >= 2
	)
	SELECT min(id) INTO best FROM ranked WHERE place = 1 HAVING count(*) = 1;
	RETURN best;
END
$$;

-- A fact of a product in words; NULL when the catalogue does not say.
CREATE OR REPLACE FUNCTION shop.product_fact(p shop.products, fact text, locale text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	lang integer := coalesce(array_position(ARRAY['en', 'fr', 'es', 'de'], locale), 1);
	name text := coalesce(p.names->>locale, p.name);
	value text;
BEGIN
	CASE fact
	WHEN 'price' THEN
		value := souk.money_text(shop.pays(p), p.currency, locale);
		RETURN format((ARRAY['%s costs %s.', '%s coûte %s.', '%s cuesta %s.', '%s kostet %s.'])[lang], name, value)
			|| CASE WHEN p.sale_price_minor < p.price_minor THEN ' ' || format((ARRAY['Before: %s.', 'Avant : %s.', 'Antes: %s.', 'Vorher: %s.'])[lang],
				souk.money_text(p.price_minor, p.currency, locale)) ELSE '' END;
	WHEN 'stock' THEN
		IF p.stock <= 0 THEN
			RETURN format((ARRAY['%s is out of stock.', '%s n’est plus en stock.', '%s está agotado.', '%s ist nicht vorrätig.'])[lang], name);
		END IF;
		RETURN format((ARRAY['%s is in stock: %s.', '%s est en stock : %s.', '%s está en stock: %s.', '%s ist vorrätig: %s.'])[lang], name, p.stock);
	WHEN 'variants' THEN
		SELECT string_agg((SELECT string_agg(o.value, ', ') FROM jsonb_each_text(v.options) o) || CASE WHEN v.stock <= 0 THEN
			(ARRAY[' (out of stock)', ' (épuisé)', ' (agotado)', ' (nicht vorrätig)'])[lang] ELSE '' END, '; ' ORDER BY v.position, v.id)
		  INTO value FROM shop.product_variants v WHERE v.product_id = p.id;
	WHEN 'rating' THEN
		value := CASE WHEN p.rating_count > 0 THEN format('%s / 5 (%s)', round(p.rating_avg, 1), p.rating_count) END;
	WHEN 'brand' THEN
		value := p.brand;
	WHEN 'colour' THEN
		value := coalesce(p.colours->>locale, p.colour);
	WHEN 'category' THEN
		SELECT coalesce(c.paths->>locale, c.path) INTO value FROM shop.categories c WHERE c.id = p.category_id;
	ELSE
		value := CASE WHEN jsonb_typeof(p.attributes->fact) IN ('string', 'number') THEN p.attributes->>fact END;
	END CASE;
	IF fact = 'dimensions' AND value IS NULL THEN
		RETURN shop.product_fact(p, 'variants', locale);
	END IF;
	RETURN format((ARRAY['%s: %s.', '%s : %s.', '%s: %s.', '%s: %s.'])[lang], name, nullif(value, ''));
END
$$;

-- An answer from the catalogue: {known, answer, sources, product}, known false when it is unclear which product is meant, NULL when the
-- question asks for no fact of a product. A product
-- that is given is meant, whatever the words are.
CREATE OR REPLACE FUNCTION shop.answer_product(args jsonb, candidates bigint[], locale text) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	folded text := souk.fold(args->>'question');
	facts text[] := shop.question_facts(folded);
	wanted bigint;
	p shop.products;
	fact text;
	said text;
	part text;
	why text[] := '{}';
BEGIN
	wanted := CASE WHEN args ? 'productId' THEN shop.product_id(args) ELSE shop.question_product(folded, candidates, locale) END;
	SELECT * INTO p FROM shop.products x WHERE x.id = wanted AND x.status = 'active';
	IF p.id IS NULL THEN
		IF args ? 'productId' THEN
			PERFORM souk.fail('SK404', 'there is no such product');
		ELSIF facts = '{}' OR shop.question_policy(folded) IS NOT NULL THEN
			RETURN NULL;
		END IF;
		RETURN json_build_object('known', false, 'answer', (ARRAY['Which product is meant? search_products finds it; give its productId.',
			'Quel produit est concerné ? search_products le trouve ; donnez son productId.', '¿Qué producto es? search_products lo encuentra; indique su productId.',
			'Welches Produkt ist gemeint? search_products findet es; geben Sie seine productId an.'])[coalesce(array_position(ARRAY['en', 'fr', 'es', 'de'], locale), 1)],
			'sources', '[]'::json);
	END IF;
	-- Other attributes by their own names: "voltage", "care".
	facts := facts || ARRAY(SELECT a.key FROM jsonb_each(p.attributes) a WHERE NOT a.key = ANY (facts) AND length(a.key) >= 4
		AND folded ~ ('\m' || regexp_replace(souk.fold(a.key), '[^a-z0-9 ]', '', 'g') || '\M'));
	FOREACH fact IN ARRAY facts LOOP
		part := CASE WHEN fact = 'price' AND shop.pays(p) IS NULL THEN NULL ELSE shop.product_fact(p, fact, locale) END;
		IF part IS NOT NULL AND right(part, 3) <> ': .' THEN
			said := concat_ws(' ', said, part);
			why := why || fact;
		END IF;
		EXIT WHEN cardinality(why) = 3;
	END LOOP;
	IF said IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN json_build_object('known', true, 'answer', said, 'product', json_build_object('id', p.id::text, 'sku', p.sku, 'slug', p.slug,
		'name', coalesce(p.names->>locale, p.name)),
		'sources', (SELECT json_agg(json_build_object('type', 'product', 'id', p.id::text, 'title', coalesce(p.names->>locale, p.name), 'fact', f)) FROM unnest(why) f));
END
$$;

-- The shop's policy that a question is about, as an answer; NULL when it is about none.
CREATE OR REPLACE FUNCTION shop.answer_policy(question text, locale text) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	wanted text := shop.question_policy(souk.fold(question));
	t shop.policy_texts;
BEGIN
	t := shop.policy_text(shop.policy_for(wanted,
		coalesce((SELECT value#>>'{}' FROM souk.settings WHERE key = 'shop.country'), 'FR'), NULL, NULL, current_date), locale);
	IF t.policy_id IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN json_build_object('known', true, 'answer', left(t.body, 2000), 'sources', json_build_array(json_build_object('type', 'policy', 'id', wanted,
		'title', t.title)));
END
$$;
