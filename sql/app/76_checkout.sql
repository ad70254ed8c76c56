-- From a basket to an order that waits for its payment. These functions are SECURITY DEFINER and decide themselves whether the speaker may;
-- they work for the shop as a whole in between, so every one of them puts souk.kind back.
--
-- Locks are taken in one order everywhere: order, payments, basket, discounts, products by number.

DROP POLICY IF EXISTS by_the_shop ON shop.discount_uses;
CREATE POLICY by_the_shop ON shop.discount_uses USING ((SELECT souk.sees_all()));
DROP POLICY IF EXISTS by_the_shop ON shop.stock_holds;
CREATE POLICY by_the_shop ON shop.stock_holds USING ((SELECT souk.sees_all()));
-- Payments and refunds are seen by whoever sees the order.
DROP POLICY IF EXISTS of_order ON shop.payments;
CREATE POLICY of_order ON shop.payments
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id));
DROP POLICY IF EXISTS of_order ON shop.refunds;
CREATE POLICY of_order ON shop.refunds
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id));
DROP POLICY IF EXISTS by_the_shop ON shop.payment_events;
CREATE POLICY by_the_shop ON shop.payment_events USING ((SELECT souk.sees_all()));

-- ORD-XXXXXXXX of 0-9 and letters that are not taken for digits.
CREATE OR REPLACE FUNCTION shop.order_number() RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	made text;
BEGIN
	LOOP
		-- Eight digits of 32 letters: 40 random bits, from a generator that cannot be guessed.
		made := 'ORD-' || (SELECT string_agg(substr('23456789ABCDEFGHJKLMNPQRSTUVWXYZ', 1 + get_byte(b, n) % 32, 1), '')
			FROM uuid_send(gen_random_uuid()) b, generate_series(8, 15) n WHERE n > 7);
		EXIT WHEN NOT EXISTS (SELECT FROM shop.orders o WHERE o.number = made);
	END LOOP;
	RETURN made;
END
$$;

-- An order as a basket stands: prices, discounts and stock are the catalogue's, and the stock is taken for as long as hold.
-- Whoever owns the basket may; placing it twice gives the order that waits already. buyer: {email, name, phone, address, channel, locale}; what is
-- missing is the customer's own, or is asked on the payment page. SK404 no such basket, SK409 what stands against it, with the reason.
CREATE OR REPLACE FUNCTION shop.order_place(basket_id bigint, buyer jsonb, hold interval) RETURNS shop.orders
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	me bigint := souk.me();
	my_visitor text := souk.visitor();
	everything boolean := souk.sees_all();
	b shop.baskets;
	o shop.orders;
	locked bigint;
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	SELECT x.order_id INTO locked FROM shop.baskets x WHERE x.id = order_place.basket_id;
	IF locked IS NOT NULL THEN
		PERFORM FROM shop.orders x WHERE x.id = locked FOR UPDATE;
	END IF;
	SELECT * INTO b FROM shop.baskets x WHERE x.id = order_place.basket_id AND x.closed_at IS NULL FOR UPDATE;
	IF b.id IS NULL OR NOT coalesce(everything OR b.customer_id = me OR b.visitor = my_visitor, false) OR b.expires_at <= now() THEN
		PERFORM souk.fail('SK404', 'there is no such basket');
	END IF;
	IF b.order_id IS NOT NULL THEN
		SELECT * INTO o FROM shop.orders x WHERE x.id = b.order_id;
		-- An order that a twin has placed meanwhile is given as it is: to lock it now, after the basket, would be the wrong way round.
		IF b.order_id = locked THEN
			o := shop.order_buyer(o, buyer);
		END IF;
	ELSE
		o := shop.order_make(b, buyer, hold);
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN o;
END
$$;

-- The work of order_place(), for a basket that is locked.
CREATE OR REPLACE FUNCTION shop.order_make(b shop.baskets, buyer jsonb, hold interval) RETURNS shop.orders
LANGUAGE plpgsql
AS $$
DECLARE
	c shop.customers;
	o shop.orders;
	lang text;
	priced jsonb;
	why text;
	mail text;
	goal jsonb;
	vat numeric := coalesce((SELECT (value#>>'{}')::numeric FROM souk.settings WHERE key = 'shop.vat_percent'), 0);
BEGIN
	SELECT * INTO c FROM shop.customers x WHERE x.id = b.customer_id;
	lang := coalesce(buyer->>'locale', c.locale, 'fr');
	mail := coalesce(nullif(buyer->>'email', ''), c.email);
	goal := coalesce(nullif(buyer->'address', '{}'), c.addresses->0, '{}');
	-- Discounts with limits are counted one buyer after the other; products are locked by number, whatever the baskets' order.
	PERFORM FROM shop.discounts d WHERE d.code = ANY (b.codes) ORDER BY d.id FOR UPDATE;
	PERFORM shop.stock_recover(ARRAY(SELECT i.product_id FROM shop.basket_items i WHERE i.basket_id = b.id));
	priced := shop.basket_price(ARRAY[b.id], upper(goal->>'country'), b.customer_id, mail, lang);
	IF priced->'lines' = '[]' THEN
		PERFORM souk.fail('SK409', 'the basket is empty');
	ELSIF NOT (priced->>'delivers')::boolean THEN
		PERFORM souk.fail('SK409', shop.no_delivery(upper(goal->>'country'), b.currency));
	END IF;
	SELECT string_agg(n->>'message', '; ') INTO why FROM jsonb_array_elements(priced->'lines') l,
		to_jsonb(shop.line_notice(l, b.currency, false)) n WHERE n->>'code' IN ('unavailable', 'out_of_stock');
	IF why IS NOT NULL THEN
		PERFORM souk.fail('SK409', left(why, 900));
	END IF;
	SELECT string_agg(format('code %s %s', d->>'code', shop.refusal_text(d, b.currency)), '; ') INTO why
	  FROM jsonb_array_elements(priced->'codes') d WHERE d->>'refused' IS NOT NULL;
	IF why IS NOT NULL THEN
		PERFORM souk.fail('SK409', why || '; remove it');
	END IF;
	INSERT INTO shop.orders (customer_id, number, status, currency, subtotal_minor, discount_minor, shipping_minor, total_minor, tax_minor,
		item_count, channel, email, shipping_address, payment_status, locale)
	VALUES (b.customer_id, shop.order_number(), 'PENDING', b.currency, (priced->>'subtotal')::bigint, (priced->>'discount')::bigint,
		(priced->>'shipping')::bigint, (priced->>'total')::bigint,
		round((priced->>'total')::bigint * vat / (100 + vat)), (SELECT sum((l->>'quantity')::integer) FROM jsonb_array_elements(priced->'lines') l),
		coalesce(buyer->>'channel', 'assistant'), CASE WHEN b.customer_id IS NULL THEN mail END,
		jsonb_strip_nulls(goal || jsonb_build_object('name', coalesce(buyer->>'name', goal->>'name', nullif(c.name, '')),
			'phone', coalesce(buyer->>'phone', goal->>'phone', c.phone))), 'open', lang)
	RETURNING * INTO o;
	INSERT INTO shop.order_items (order_id, product_id, variant_id, unit_price_minor, total_minor, discount_minor, quantity, position, sku, name,
		options, stock_taken)
	SELECT o.id, (l->>'product')::bigint, (l->>'variant')::bigint, (l->>'unit')::bigint, (l->>'total')::bigint, (l->>'discount')::bigint,
		(l->>'quantity')::integer, n, l->>'sku', l->>'name', l->'options', (l->>'quantity')::integer
	  FROM jsonb_array_elements(priced->'lines') WITH ORDINALITY AS e(l, n);
	PERFORM shop.stock_add(i.product_id, i.variant_id, -i.quantity, 'ordered', o.id)
	  FROM (SELECT * FROM shop.order_items x WHERE x.order_id = o.id ORDER BY x.product_id, x.variant_id, x.id) i;
	INSERT INTO shop.discount_uses (discount_id, order_id, customer_id, email, amount_minor)
	SELECT (d->>'id')::bigint, o.id, b.customer_id, mail, (d->>'amount')::bigint FROM jsonb_array_elements(priced->'codes') d;
	INSERT INTO shop.stock_holds (order_id, expires_at) VALUES (o.id, now() + hold);
	UPDATE shop.baskets x SET order_id = o.id, updated_at = now(), expires_at = greatest(x.expires_at, now() + hold + interval '1 day')
	 WHERE x.id = b.id;
	PERFORM shop.order_note(o.id, 'status', NULL, 'PENDING', 'placed', '{}');
	PERFORM souk.emit('order.created', o.number, jsonb_build_object('orderNumber', o.number, 'status', o.status,
		'total', souk.money(o.total_minor, o.currency), 'currency', o.currency));
	RETURN o;
END
$$;

-- What the buyer says of themselves for an order that waits for payment. The price of delivery to another country than the one the order was
-- placed for is worked out again; a delivery address changes nothing else.
CREATE OR REPLACE FUNCTION shop.order_buyer(o shop.orders, buyer jsonb) RETURNS shop.orders
LANGUAGE plpgsql
AS $$
DECLARE
	goal jsonb := o.shipping_address || coalesce(buyer->'address', '{}');
	rate shop.shipping_rates := shop.shipping_rate(upper(goal->>'country'), o.currency);
	cost bigint := o.shipping_minor;
	used text;
	vat numeric := coalesce((SELECT (value#>>'{}')::numeric FROM souk.settings WHERE key = 'shop.vat_percent'), 0);
BEGIN
	IF buyer IS NULL OR buyer = '{}' OR o.status <> 'PENDING' THEN
		RETURN o;
	END IF;
	IF upper(goal->>'country') IS DISTINCT FROM upper(o.shipping_address->>'country') THEN
		IF rate.price_minor IS NULL THEN
			PERFORM souk.fail('SK409', 'the shop does not deliver there');
		END IF;
		cost := CASE WHEN o.subtotal_minor - o.discount_minor >= rate.free_from_minor THEN 0 ELSE rate.price_minor END;
		IF EXISTS (SELECT FROM shop.discount_uses u JOIN shop.discounts d ON d.id = u.discount_id
			WHERE u.order_id = o.id AND d.kind = 'free_shipping') THEN
			cost := 0;
		END IF;
	END IF;
	IF cost <> o.shipping_minor THEN
		PERFORM shop.payment_close(p.id, 'expired') FROM shop.payments p WHERE p.order_id = o.id AND p.state IN ('open', 'pending');
	END IF;
	-- A code for each buyer once is for each address once, whenever the address is told.
	IF o.customer_id IS NULL AND coalesce(buyer->>'email', '') <> '' THEN
		PERFORM FROM shop.discounts d WHERE d.id IN (SELECT u.discount_id FROM shop.discount_uses u WHERE u.order_id = o.id) ORDER BY d.id FOR UPDATE;
		SELECT string_agg(d.code, ', ' ORDER BY d.code) INTO used FROM shop.discount_uses u JOIN shop.discounts d ON d.id = u.discount_id
		 WHERE u.order_id = o.id AND d.customer_limit <= (SELECT count(*) FROM shop.discount_uses x WHERE x.discount_id = d.id AND x.order_id <> o.id
			AND x.released_at IS NULL AND lower(x.email) = lower(buyer->>'email'));
		IF used IS NOT NULL THEN
			PERFORM souk.fail('SK409', format('code %s has been used already; take it out of the basket', used));
		END IF;
		UPDATE shop.discount_uses u SET email = buyer->>'email' WHERE u.order_id = o.id AND u.email IS DISTINCT FROM buyer->>'email';
	END IF;
	UPDATE shop.orders x SET updated_at = now(), shipping_minor = cost, total_minor = x.subtotal_minor - x.discount_minor + cost,
		tax_minor = round((x.subtotal_minor - x.discount_minor + cost) * vat / (100 + vat)),
		email = CASE WHEN x.customer_id IS NULL THEN coalesce(nullif(buyer->>'email', ''), x.email) ELSE x.email END,
		shipping_address = jsonb_strip_nulls(goal || jsonb_build_object('name', coalesce(buyer->>'name', goal->>'name'),
			'phone', coalesce(buyer->>'phone', goal->>'phone')))
	 WHERE x.id = o.id RETURNING * INTO o;
	RETURN o;
END
$$;

-- Lock products for a sale. Stock that orders hold whose time is over comes back before somebody is told that there is none.
CREATE OR REPLACE FUNCTION shop.stock_recover(products bigint[]) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
	late record;
	n integer := 0;
BEGIN
	-- All products that may be touched, first and by number, so that no two buyers wait for each other.
	PERFORM FROM shop.products p WHERE p.id = ANY (products) OR p.id IN (SELECT j.product_id FROM shop.stock_holds h
		JOIN shop.order_items i ON i.order_id = h.order_id AND i.product_id = ANY (products)
		JOIN shop.order_items j ON j.order_id = h.order_id WHERE h.expires_at <= now())
		ORDER BY p.id FOR NO KEY UPDATE;
	FOR late IN
		SELECT h.order_id FROM shop.stock_holds h WHERE h.expires_at <= now()
		   AND EXISTS (SELECT FROM shop.order_items i WHERE i.order_id = h.order_id AND i.product_id = ANY (products)) ORDER BY h.order_id LIMIT 20
	LOOP
		n := n + shop.order_expire(late.order_id, true)::integer;
	END LOOP;
	RETURN n;
END
$$;

-- Cancel an order that was not paid in time. impatient: leave it when somebody works on it now.
CREATE OR REPLACE FUNCTION shop.order_expire(which bigint, impatient boolean) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
	o shop.orders;
BEGIN
	IF impatient THEN
		SELECT * INTO o FROM shop.orders x WHERE x.id = which FOR UPDATE SKIP LOCKED;
	ELSE
		SELECT * INTO o FROM shop.orders x WHERE x.id = which FOR UPDATE;
	END IF;
	IF o.id IS NULL OR NOT EXISTS (SELECT FROM shop.stock_holds h WHERE h.order_id = which AND h.expires_at <= now()) THEN
		RETURN false;
	ELSIF o.status <> 'PENDING' THEN
		DELETE FROM shop.stock_holds h WHERE h.order_id = which;
		RETURN false;
	END IF;
	PERFORM shop.order_move(o.id, 'CANCELLED', 'not paid in time', NULL);
	RETURN true;
END
$$;

-- Baskets that are about to change: cancel the unpaid orders that were placed from them. The baskets are the speaker's own (basket_ids).
CREATE OR REPLACE FUNCTION shop.basket_unplace(ids bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	mine bigint[] := ARRAY(SELECT x FROM unnest(shop.basket_ids()) x WHERE x = ANY (ids));
	o shop.orders;
	n integer := 0;
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	FOR o IN SELECT x.* FROM shop.orders x JOIN shop.baskets b ON b.order_id = x.id WHERE b.id = ANY (mine) ORDER BY x.id FOR UPDATE OF x LOOP
		IF o.status <> 'PENDING' THEN
			PERFORM souk.fail('SK409', format('order %s from this basket is %s', o.number, o.status));
		END IF;
		PERFORM shop.order_move(o.id, 'CANCELLED', 'the basket was changed', NULL);
		n := n + 1;
	END LOOP;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN n;
END
$$;

-- What follows from an order's end, whoever brought it about: of a cancelled one the discount may be used again, nobody can pay it any more, and
-- its basket is there for another try; of one that goes its way, the basket is done.
CREATE OR REPLACE FUNCTION shop.order_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	DELETE FROM shop.stock_holds h WHERE h.order_id = NEW.id;
	IF NEW.status = 'CANCELLED' THEN
		UPDATE shop.discount_uses u SET released_at = now() WHERE u.order_id = NEW.id AND u.released_at IS NULL;
		PERFORM shop.payment_close(p.id, 'expired') FROM shop.payments p WHERE p.order_id = NEW.id AND p.state IN ('open', 'pending');
		UPDATE shop.baskets b SET order_id = NULL WHERE b.order_id = NEW.id AND b.closed_at IS NULL;
	ELSE
		UPDATE shop.baskets b SET closed_at = now() WHERE b.order_id = NEW.id AND b.closed_at IS NULL;
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS orders_ended ON shop.orders;
CREATE TRIGGER orders_ended AFTER UPDATE OF status ON shop.orders
	FOR EACH ROW WHEN (NEW.status <> OLD.status AND (OLD.status = 'PENDING' OR NEW.status = 'CANCELLED')) EXECUTE FUNCTION shop.order_ended();
