-- Baskets and what they cost. Prices, stock and discounts are read from the catalogue each time; a basket only remembers what was wanted.
-- The tools run these functions with the speaker's rights: row-level security leaves a customer and a visitor their own baskets.

DROP POLICY IF EXISTS all_or_own ON shop.baskets;
CREATE POLICY all_or_own ON shop.baskets
	USING ((SELECT souk.sees_all()) OR customer_id = (SELECT souk.me()) OR visitor = (SELECT souk.visitor()));
DROP POLICY IF EXISTS all_or_own ON shop.basket_items;
CREATE POLICY all_or_own ON shop.basket_items
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.baskets b WHERE b.id = basket_id
		AND (b.customer_id = (SELECT souk.me()) OR b.visitor = (SELECT souk.visitor()))));

-- How long a basket lives after it was last changed.
CREATE OR REPLACE FUNCTION shop.basket_keep() RETURNS interval
LANGUAGE sql STABLE
AS $$ SELECT make_interval(days => coalesce((SELECT (value#>>'{}')::integer FROM souk.settings WHERE key = 'shop.basket_days'), 30)) $$;

-- What a unit costs now; NULL: it has no price. variant is NULL for a product without variants. A sale price of the product holds for the
-- variants that have no price of their own, as shop.variant() shows it.
CREATE OR REPLACE FUNCTION shop.unit_price(p shop.products, v shop.product_variants) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE WHEN v.price_minor IS NULL THEN coalesce(v.sale_price_minor, p.sale_price_minor, p.price_minor)
	ELSE coalesce(v.sale_price_minor, v.price_minor) END
$$;

-- The open baskets of the speaker: the customer's and, until it is merged, the one that a handle was brought for.
CREATE OR REPLACE FUNCTION shop.basket_ids() RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(array_agg(b.id ORDER BY b.customer_id NULLS LAST), '{}') FROM shop.baskets b
		WHERE b.closed_at IS NULL AND (b.customer_id = souk.me() OR (b.visitor = souk.visitor() AND b.expires_at > now())));
END
$$;

-- The lines of baskets as the catalogue stands now, in the order they came. seen is the price that was last shown, if that differs among
-- several baskets the lowest; unit is NULL where the product cannot be sold any more.
CREATE OR REPLACE FUNCTION shop.basket_lines(baskets bigint[], locale text)
RETURNS TABLE (item bigint, product bigint, variant bigint, quantity integer, seen bigint, unit bigint, stock integer, currency text,
	sku text, slug text, name text, image text, options jsonb, category_ids bigint[])
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT w.item, p.id, w.variant_id, least(w.quantity, 999)::integer, w.seen,
		CASE WHEN p.status = 'active' AND (p.variant_count > 0) = (v.id IS NOT NULL) THEN shop.unit_price(p, v) END,
		greatest(coalesce(v.stock, p.stock), 0), p.currency, coalesce(v.sku, p.sku), p.slug,
		coalesce(p.names->>locale, p.name), p.images->0->>'url', coalesce(v.options, '{}'), coalesce(c.path_ids, '{}')
	  FROM (SELECT min(i.id) AS item, i.product_id, i.variant_id, sum(i.quantity) AS quantity, min(i.seen_minor) AS seen
	          FROM shop.basket_items i WHERE i.basket_id = ANY (basket_lines.baskets) GROUP BY i.product_id, i.variant_id) w
	  JOIN shop.products p ON p.id = w.product_id
	  LEFT JOIN shop.product_variants v ON v.id = w.variant_id
	  LEFT JOIN shop.categories c ON c.id = p.category_id
	 ORDER BY w.item;
END
$$;

-- How often a discount was used, in all and by one customer or address. As the owner: nobody sees the uses of others.
CREATE OR REPLACE FUNCTION shop.discount_used(discount bigint, customer bigint, mail text, OUT total integer, OUT own integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	SELECT count(*), count(*) FILTER (WHERE u.customer_id = discount_used.customer OR lower(u.email) = lower(discount_used.mail))
	  INTO total, own FROM shop.discount_uses u WHERE u.discount_id = discount_used.discount AND u.released_at IS NULL;
	PERFORM set_config('souk.kind', speaker, true);
END
$$;

-- Why a discount does not apply to this much of this currency, NULL when it does. others: codes beside it.
CREATE OR REPLACE FUNCTION shop.discount_refusal(d shop.discounts, eligible bigint, basket_currency text, others integer, others_combine boolean,
	customer bigint, mail text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	used record;
BEGIN
	IF d.id IS NULL OR NOT d.active OR d.starts_at > now() THEN
		RETURN 'discount_code_invalid';
	ELSIF d.ends_at <= now() THEN
		RETURN 'discount_code_expired';
	ELSIF others > 0 AND NOT (d.combinable AND others_combine) THEN
		RETURN 'discount_code_combination_disallowed';
	ELSIF d.currency <> basket_currency OR eligible = 0 THEN
		RETURN 'discount_code_not_applicable';
	ELSIF eligible < d.minimum_minor THEN
		RETURN 'discount_code_minimum_not_reached';
	END IF;
	IF d.usage_limit IS NOT NULL OR d.customer_limit IS NOT NULL THEN
		SELECT * INTO used FROM shop.discount_used(d.id, customer, mail);
		IF used.total >= d.usage_limit THEN
			RETURN 'discount_code_expired';
		ELSIF used.own >= d.customer_limit THEN
			RETURN 'discount_code_user_ineligible';
		END IF;
	END IF;
	RETURN NULL;
END
$$;

-- Split a sum over lines in proportion to what is left of them, exactly: the cents that rounding leaves go to the largest fractions.
CREATE OR REPLACE FUNCTION shop.split_minor(amount bigint, weights bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE
AS $$
WITH w AS (
	SELECT n, x, sum(x) OVER () AS total FROM unnest(weights) WITH ORDINALITY AS u(x, n)
), part AS (
	SELECT n, CASE WHEN total = 0 THEN 0 ELSE div(amount::numeric * x, total) END AS whole,
		CASE WHEN total = 0 THEN 0 ELSE mod(amount::numeric * x, total) END AS rest
	  FROM w
), ranked AS (
	SELECT n, whole, row_number() OVER (ORDER BY rest DESC, n) AS place, amount - sum(whole) OVER () AS missing FROM part
)
SELECT coalesce(array_agg((whole + CASE WHEN place <= missing THEN 1 ELSE 0 END)::bigint ORDER BY n), '{}') FROM ranked
$$;

-- Delivery to a country; NULL: the shop does not deliver there. country NULL: to wherever most rates are for.
CREATE OR REPLACE FUNCTION shop.shipping_rate(wanted text, wanted_currency text) RETURNS shop.shipping_rates
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	rate shop.shipping_rates;
BEGIN
	IF NOT EXISTS (SELECT FROM shop.shipping_rates) THEN
		rate.price_minor := 0;
		rate.name := '';
		RETURN rate;
	END IF;
	SELECT * INTO rate FROM shop.shipping_rates r
	 WHERE r.currency = wanted_currency AND (wanted IS NULL OR r.country IN (wanted, '*'))
	 ORDER BY CASE WHEN wanted IS NULL THEN false ELSE r.country = '*' END, r.id LIMIT 1;
	RETURN rate;
END
$$;

-- Why there is no rate: for no country in this currency, or not for this one.
CREATE OR REPLACE FUNCTION shop.no_delivery(wanted text, wanted_currency text) RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT CASE WHEN EXISTS (SELECT FROM shop.shipping_rates r WHERE r.currency = wanted_currency)
	THEN coalesce('the shop does not deliver to ' || wanted, 'the shop does not deliver there')
	ELSE 'the shop does not deliver what is priced in ' || wanted_currency END
$$;

-- What baskets cost: {currency, lines: [...], codes: [{id, code, title, amount, refused}], subtotal, discount, shipping, total, freeShipping,
-- delivers, country}, in minor units. Codes apply one after the other to what the ones before have left.
CREATE OR REPLACE FUNCTION shop.basket_price(baskets bigint[], country text, customer bigint, mail text, locale text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	all_lines jsonb;
	basket_currency text;
	wanted text[];
	rests bigint[];
	shares bigint[];
	gone bigint[];
	weights bigint[];
	eligible bigint;
	amount bigint;
	refused text;
	applied jsonb := '[]';
	subtotal bigint;
	free boolean := false;
	rate shop.shipping_rates;
	shipping bigint;
	d shop.discounts;
	this_code text;
BEGIN
	SELECT b.currency INTO basket_currency FROM shop.baskets b WHERE b.id = ANY (baskets) ORDER BY array_position(baskets, b.id) LIMIT 1;
	SELECT array_agg(code ORDER BY first) INTO wanted FROM (SELECT u.code, min(array_position(baskets, b.id) * 10 + u.n) AS first
		FROM shop.baskets b, unnest(b.codes) WITH ORDINALITY AS u(code, n) WHERE b.id = ANY (baskets) GROUP BY u.code) c;
	SELECT coalesce(jsonb_agg(to_jsonb(l) ORDER BY l.item), '[]'), array_agg(coalesce(l.unit, 0) * l.quantity ORDER BY l.item)
	  INTO all_lines, rests
	  FROM (SELECT *, b.currency <> basket_currency AS foreign_currency FROM shop.basket_lines(baskets, locale) b) l;
	subtotal := (SELECT coalesce(sum(x), 0) FROM unnest(rests) x);
	gone := array_fill(0::bigint, ARRAY[coalesce(cardinality(rests), 0)]);
	FOREACH this_code IN ARRAY coalesce(wanted, '{}') LOOP
		SELECT * INTO d FROM shop.discounts x WHERE x.code = this_code;
		SELECT array_agg(CASE WHEN (d.category_ids = '{}' AND d.product_ids = '{}') OR (l->>'product')::bigint = ANY (d.product_ids)
				OR EXISTS (SELECT FROM jsonb_array_elements_text(l->'category_ids') c WHERE c::bigint = ANY (d.category_ids))
				THEN rests[n] - gone[n] ELSE 0 END ORDER BY n)
		  INTO weights FROM jsonb_array_elements(all_lines) WITH ORDINALITY AS e(l, n);
		eligible := (SELECT coalesce(sum(x), 0) FROM unnest(weights) x);
		refused := shop.discount_refusal(d, eligible, basket_currency, cardinality(wanted) - 1,
			NOT EXISTS (SELECT FROM shop.discounts x WHERE x.code = ANY (wanted) AND NOT x.combinable), customer, mail);
		amount := 0;
		IF refused IS NULL THEN
			free := free OR d.kind = 'free_shipping';
			amount := CASE d.kind WHEN 'percent' THEN round(eligible * d.percent / 100) WHEN 'fixed' THEN least(d.amount_minor, eligible) ELSE 0 END;
			shares := shop.split_minor(amount, weights);
			gone := (SELECT array_agg(gone[n] + shares[n] ORDER BY n) FROM generate_subscripts(gone, 1) AS n);
		END IF;
		applied := applied || jsonb_build_object('id', d.id, 'code', this_code, 'title', coalesce(d.titles->>locale, d.title, this_code),
			'amount', amount, 'kind', d.kind, 'minimum', d.minimum_minor, 'refused', refused);
	END LOOP;
	all_lines := (SELECT coalesce(jsonb_agg(l || jsonb_build_object('total', rests[n], 'discount', gone[n]) ORDER BY n), '[]')
		FROM jsonb_array_elements(all_lines) WITH ORDINALITY AS e(l, n));
	amount := (SELECT coalesce(sum(x), 0) FROM unnest(gone) x);
	rate := shop.shipping_rate(country, basket_currency);
	shipping := CASE WHEN subtotal = 0 OR free OR subtotal - amount >= rate.free_from_minor THEN 0 ELSE coalesce(rate.price_minor, 0) END;
	RETURN jsonb_build_object('currency', basket_currency, 'lines', all_lines, 'codes', applied, 'subtotal', subtotal, 'discount', amount,
		'shipping', shipping, 'total', subtotal - amount + shipping, 'delivers', rate.price_minor IS NOT NULL,
		'shippingName', coalesce(rate.names->>locale, rate.name));
END
$$;

-- What stands against buying a line as it is: gone, no longer enough in stock, dearer or cheaper than it was.
CREATE OR REPLACE FUNCTION shop.line_notice(l jsonb, currency text, taken boolean) RETURNS json
LANGUAGE sql STABLE
AS $$
SELECT CASE
	WHEN l->>'unit' IS NULL OR (l->>'foreign_currency')::boolean THEN json_build_object('code', 'unavailable', 'productId', l->>'product',
		'message', format('%s cannot be bought any more; remove it', l->>'name'))
	WHEN NOT taken AND (l->>'stock')::integer < (l->>'quantity')::integer THEN json_build_object('code', 'out_of_stock', 'productId', l->>'product',
		'message', format('%s: only %s in stock, %s wanted', l->>'name', l->>'stock', l->>'quantity'))
	WHEN (l->>'seen')::bigint <> (l->>'unit')::bigint THEN json_build_object('code', 'price_changed', 'productId', l->>'product',
		'message', format('%s now costs %s %s instead of %s', l->>'name', souk.money((l->>'unit')::bigint, currency), currency,
			souk.money((l->>'seen')::bigint, currency))) END
$$;

-- {old, new} when the price is not the one that was shown before; NULL otherwise.
CREATE OR REPLACE FUNCTION shop.price_changed(seen bigint, unit bigint, currency text) RETURNS json
LANGUAGE sql STABLE
AS $$ SELECT CASE WHEN seen <> unit THEN json_build_object('old', souk.money(seen, currency), 'new', souk.money(unit, currency)) END $$;

-- What the tools show of baskets. An empty basket is a basket too.
CREATE OR REPLACE FUNCTION shop.basket_show(baskets bigint[], args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	priced jsonb := shop.basket_price(baskets, upper(args->>'country'), souk.me(), NULL, souk.locale(args->>'locale'));
	cur text := coalesce(priced->>'currency', args->>'currency', 'EUR');
	placed boolean := EXISTS (SELECT FROM shop.baskets b WHERE b.id = ANY (baskets) AND b.order_id IS NOT NULL);
	notices json;
BEGIN
	SELECT json_agg(x.notice) INTO notices FROM (
		SELECT shop.line_notice(l, cur, placed) AS notice FROM jsonb_array_elements(priced->'lines') l
		UNION ALL
		SELECT json_build_object('code', d->>'refused', 'message', format('code %s: %s', d->>'code', shop.refusal_text(d, cur)))
		  FROM jsonb_array_elements(priced->'codes') d WHERE d->>'refused' IS NOT NULL
		UNION ALL
		SELECT json_build_object('code', 'no_delivery', 'message', shop.no_delivery(upper(args->>'country'), cur))
		 WHERE NOT (priced->>'delivers')::boolean AND priced->'lines' <> '[]') x WHERE x.notice IS NOT NULL;
	RETURN json_strip_nulls(json_build_object(
		'currency', cur,
		'items', (SELECT coalesce(json_agg(json_build_object(
			'itemId', l->>'item', 'productId', l->>'product', 'variantId', l->>'variant', 'sku', l->>'sku', 'slug', l->>'slug',
			'name', l->>'name', 'options', nullif(l->'options', '{}'), 'image', l->>'image', 'quantity', (l->>'quantity')::integer,
			'unitPrice', souk.money((l->>'unit')::bigint, cur), 'priceChanged', shop.price_changed((l->>'seen')::bigint, (l->>'unit')::bigint, cur), 'total', souk.money((l->>'total')::bigint, cur),
			'discount', souk.money(nullif((l->>'discount')::bigint, 0), cur),
			'inStock', placed OR (l->>'unit' IS NOT NULL AND (l->>'stock')::integer >= (l->>'quantity')::integer)) ORDER BY n), '[]')
			FROM jsonb_array_elements(priced->'lines') WITH ORDINALITY AS e(l, n)),
		'itemCount', (SELECT coalesce(sum((l->>'quantity')::integer), 0) FROM jsonb_array_elements(priced->'lines') l),
		'subtotal', souk.money((priced->>'subtotal')::bigint, cur),
		'discounts', (SELECT json_agg(json_build_object('code', d->>'code', 'title', d->>'title', 'amount', souk.money((d->>'amount')::bigint, cur),
			'freeShipping', CASE WHEN d->>'kind' = 'free_shipping' THEN true END))
			FROM jsonb_array_elements(priced->'codes') d WHERE d->>'refused' IS NULL),
		'discount', souk.money((priced->>'discount')::bigint, cur),
		'shipping', souk.money((priced->>'shipping')::bigint, cur),
		'total', souk.money((priced->>'total')::bigint, cur),
		'notices', coalesce(notices, '[]'),
		'expiresAt', (SELECT souk.rfc3339(max(b.expires_at)) FROM shop.baskets b WHERE b.id = ANY (baskets))));
END
$$;

CREATE OR REPLACE FUNCTION shop.refusal_text(d jsonb, currency text) RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT CASE d->>'refused'
	WHEN 'discount_code_invalid' THEN 'there is no such code'
	WHEN 'discount_code_expired' THEN 'has expired'
	WHEN 'discount_code_combination_disallowed' THEN 'cannot be combined with another code'
	WHEN 'discount_code_not_applicable' THEN 'does not apply to anything in the basket'
	WHEN 'discount_code_minimum_not_reached' THEN format('needs %s %s of what it applies to', souk.money((d->>'minimum')::bigint, currency), currency)
	WHEN 'discount_code_user_ineligible' THEN 'has been used already'
	ELSE d->>'refused' END
$$;

-- The speaker's basket, locked, with what was brought under a handle merged into it. An order that was placed from it and is not paid is
-- cancelled, as the basket is about to change: its stock comes back, its payment page closes. make: create one where there is none.
CREATE OR REPLACE FUNCTION shop.basket_open(make boolean, wanted_currency text) RETURNS shop.baskets
LANGUAGE plpgsql
AS $$
DECLARE
	ids bigint[] := shop.basket_ids();
	own shop.baskets;
BEGIN
	PERFORM shop.basket_unplace(ids);
	IF ids = '{}' AND make THEN
		BEGIN
			INSERT INTO shop.baskets (customer_id, visitor, currency, expires_at)
			VALUES (souk.me(), CASE WHEN souk.me() IS NULL THEN souk.visitor() END, wanted_currency, now() + shop.basket_keep());
		EXCEPTION WHEN unique_violation THEN
			-- A twin was faster; or what the visitor had has expired and is cleared away here.
			DELETE FROM shop.baskets b WHERE b.visitor = souk.visitor() AND b.closed_at IS NULL AND b.expires_at <= now();
			INSERT INTO shop.baskets (customer_id, visitor, currency, expires_at)
			VALUES (souk.me(), CASE WHEN souk.me() IS NULL THEN souk.visitor() END, wanted_currency, now() + shop.basket_keep())
			ON CONFLICT DO NOTHING;
		END;
		ids := shop.basket_ids();
	END IF;
	PERFORM FROM shop.baskets b WHERE b.id = ANY (ids) AND b.closed_at IS NULL ORDER BY b.id FOR UPDATE;
	ids := shop.basket_ids();
	IF ids = '{}' THEN
		RETURN NULL;
	END IF;
	IF EXISTS (SELECT FROM shop.baskets b WHERE b.id = ANY (ids) AND b.order_id IS NOT NULL) THEN
		PERFORM souk.fail('SK409', 'the basket was being paid at that moment; try again');
	END IF;
	IF cardinality(ids) > 1 THEN
		PERFORM shop.basket_merge(ids[1], ids[2]);
	ELSIF souk.me() IS NOT NULL THEN
		UPDATE shop.baskets b SET customer_id = souk.me(), visitor = NULL WHERE b.id = ids[1] AND b.customer_id IS NULL;
	END IF;
	UPDATE shop.baskets b SET updated_at = now(), expires_at = now() + shop.basket_keep() WHERE b.id = ids[1] RETURNING * INTO own;
	RETURN own;
END
$$;

-- What a visitor had put aside joins the basket that the customer already has; quantities add up.
CREATE OR REPLACE FUNCTION shop.basket_merge(target bigint, source bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO shop.basket_items AS i (basket_id, product_id, variant_id, seen_minor, quantity)
	SELECT target, s.product_id, s.variant_id, s.seen_minor, s.quantity FROM shop.basket_items s WHERE s.basket_id = source ORDER BY s.id
	ON CONFLICT (basket_id, product_id, coalesce(variant_id, 0)) DO UPDATE SET quantity = least(i.quantity + excluded.quantity, 999);
	UPDATE shop.baskets t SET codes = (SELECT (array_agg(DISTINCT c))[1:5] FROM unnest(t.codes || s.codes) c)
	  FROM shop.baskets s WHERE t.id = target AND s.id = source AND s.codes <> '{}';
	UPDATE shop.baskets SET closed_at = now() WHERE id = source;
END
$$;

-- $1 of add_to_basket: find what is meant, or say what is missing.
CREATE OR REPLACE FUNCTION shop.basket_add(args jsonb) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	p shop.products;
	v shop.product_variants;
	b shop.baskets;
	n integer := (args->>'quantity')::integer;
	shown json;
BEGIN
	SELECT * INTO p FROM shop.products WHERE id = shop.product_id(args) AND status = 'active';
	IF p.id IS NULL THEN
		PERFORM souk.fail('SK404', 'there is no such product; search_products finds them');
	END IF;
	SELECT * INTO v FROM shop.product_variants x WHERE x.product_id = p.id
		AND (x.id::text = args->>'variantId' OR x.sku = CASE WHEN args ? 'variantId' THEN args->>'variantSku' ELSE shop.variant_arg(args, p.id) END);
	IF v.id IS NULL AND (args ? 'variantSku' OR args ? 'variantId') THEN
		PERFORM souk.fail('SK404', 'the product has no such variant; get_product_details lists them');
	ELSIF v.id IS NULL AND p.variant_count > 0 THEN
		PERFORM souk.fail('SK400', 'variantSku: the product comes in variants; say which: '
			|| (SELECT left(string_agg(x.sku || ' (' || (SELECT coalesce(string_agg(o.value, ', '), '') FROM jsonb_each_text(x.options) o) || ')',
				'; ' ORDER BY x.position, x.id), 400) FROM shop.product_variants x WHERE x.product_id = p.id));
	ELSIF shop.unit_price(p, v) IS NULL THEN
		PERFORM souk.fail('SK409', 'the product has no price and cannot be bought here');
	END IF;
	b := shop.basket_open(true, p.currency);
	IF b.currency <> p.currency THEN
		IF EXISTS (SELECT FROM shop.basket_items i WHERE i.basket_id = b.id) THEN
			PERFORM souk.fail('SK409', format('the basket is in %s, the product in %s', b.currency, p.currency));
		END IF;
		UPDATE shop.baskets x SET currency = p.currency WHERE x.id = b.id;
	ELSIF (SELECT count(*) FROM shop.basket_items i WHERE i.basket_id = b.id) >= 100 THEN
		PERFORM souk.fail('SK409', 'a basket holds at most 100 different products');
	END IF;
	n := n + coalesce((SELECT i.quantity FROM shop.basket_items i
		WHERE i.basket_id = b.id AND i.product_id = p.id AND coalesce(i.variant_id, 0) = coalesce(v.id, 0)), 0);
	IF n > greatest(coalesce(v.stock, p.stock), 0) THEN
		PERFORM souk.fail('SK409', format('only %s in stock', greatest(coalesce(v.stock, p.stock), 0)));
	ELSIF n > 999 THEN
		PERFORM souk.fail('SK409', 'a basket takes at most 999 of a product');
	END IF;
	INSERT INTO shop.basket_items (basket_id, product_id, variant_id, seen_minor, quantity)
	VALUES (b.id, p.id, v.id, shop.unit_price(p, v), n)
	ON CONFLICT (basket_id, product_id, coalesce(variant_id, 0)) DO UPDATE SET quantity = excluded.quantity;
	-- The answer tells that the price is another one than before; with the next one it is the known price.
	shown := shop.basket_show(ARRAY[b.id], args);
	UPDATE shop.basket_items i SET seen_minor = shop.unit_price(p, v)
	 WHERE i.basket_id = b.id AND i.product_id = p.id AND coalesce(i.variant_id, 0) = coalesce(v.id, 0);
	RETURN shown;
END
$$;

-- The line that is meant by itemId, or by product and variant.
CREATE OR REPLACE FUNCTION shop.basket_item(basket bigint, args jsonb) RETURNS shop.basket_items
LANGUAGE plpgsql
AS $$
DECLARE
	item shop.basket_items;
	n integer;
BEGIN
	IF args ? 'itemId' THEN
		SELECT * INTO item FROM shop.basket_items i WHERE i.basket_id = basket AND i.id::text = args->>'itemId';
	ELSE
		SELECT count(*) OVER (), i.id INTO n, item.id FROM shop.basket_items i LEFT JOIN shop.product_variants v ON v.id = i.variant_id
		 WHERE i.basket_id = basket AND i.product_id = shop.product_id(args)
		   AND (NOT args ? 'variantSku' OR v.sku = args->>'variantSku') LIMIT 1;
		IF n > 1 THEN
			PERFORM souk.fail('SK400', 'variantSku: several variants of the product are in the basket; say which, or give itemId');
		END IF;
		SELECT * INTO item FROM shop.basket_items i WHERE i.id = item.id;
	END IF;
	IF item.id IS NULL THEN
		PERFORM souk.fail('SK404', 'the basket has no such item');
	END IF;
	RETURN item;
END
$$;

-- quantity 0 takes the line away.
CREATE OR REPLACE FUNCTION shop.basket_update(args jsonb) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	b shop.baskets := shop.basket_open(false, NULL);
	item shop.basket_items;
	n integer := (args->>'quantity')::integer;
	unit bigint;
	available integer;
	shown json;
BEGIN
	IF b.id IS NULL THEN
		PERFORM souk.fail('SK404', 'there is no basket yet');
	END IF;
	item := shop.basket_item(b.id, args);
	IF n = 0 THEN
		DELETE FROM shop.basket_items i WHERE i.id = item.id;
	ELSE
		UPDATE shop.basket_items i SET quantity = n WHERE i.id = item.id;
		SELECT l.unit, l.stock INTO unit, available FROM shop.basket_lines(ARRAY[b.id], 'fr') l WHERE l.item = item.id;
		IF n > item.quantity AND n > available THEN
			PERFORM souk.fail('SK409', format('only %s in stock', available));
		END IF;
	END IF;
	shown := shop.basket_show(ARRAY[b.id], args);
	UPDATE shop.basket_items i SET seen_minor = coalesce(unit, i.seen_minor) WHERE i.id = item.id;
	RETURN shown;
END
$$;

-- Enter a code, or take one back with remove. A code that does not apply is refused, not kept.
CREATE OR REPLACE FUNCTION shop.basket_discount(args jsonb) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	b shop.baskets := shop.basket_open(false, NULL);
	wanted text := upper(btrim(args->>'code'));
	priced jsonb;
	got jsonb;
BEGIN
	IF b.id IS NULL OR NOT EXISTS (SELECT FROM shop.basket_items i WHERE i.basket_id = b.id) THEN
		PERFORM souk.fail('SK409', 'the basket is empty; put something into it first');
	END IF;
	IF (args->>'remove')::boolean THEN
		UPDATE shop.baskets x SET codes = array_remove(x.codes, wanted) WHERE x.id = b.id;
		RETURN shop.basket_show(ARRAY[b.id], args);
	END IF;
	IF NOT wanted = ANY (b.codes) THEN
		IF cardinality(b.codes) >= 5 THEN
			PERFORM souk.fail('SK409', 'a basket takes at most 5 codes');
		END IF;
		UPDATE shop.baskets x SET codes = x.codes || wanted WHERE x.id = b.id;
	END IF;
	priced := shop.basket_price(ARRAY[b.id], upper(args->>'country'), souk.me(), NULL, souk.locale(args->>'locale'));
	SELECT d INTO got FROM jsonb_array_elements(priced->'codes') d WHERE d->>'code' = wanted;
	IF got->>'refused' IS NOT NULL THEN
		PERFORM souk.fail('SK409', format('code %s: %s', wanted, shop.refusal_text(got, priced->>'currency')));
	END IF;
	RETURN shop.basket_show(ARRAY[b.id], args);
END
$$;
