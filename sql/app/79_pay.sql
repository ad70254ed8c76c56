-- What the programs ask for: payment links, payment pages, money that staff take in. See docs/payments.md.

-- From the speaker's basket to an order: {order, pay, number, ...}. args: {email, name, phone, shippingAddress, channel, locale};
-- hold: minutes that the stock is held.
CREATE OR REPLACE FUNCTION shop.checkout(args jsonb, hold integer) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	ids bigint[] := shop.basket_ids();
	b shop.baskets;
	o shop.orders;
	a jsonb := coalesce(args->'shippingAddress', '{}');
BEGIN
	IF cardinality(ids) > 1 OR EXISTS (SELECT FROM shop.baskets x WHERE x.id = ANY (ids) AND x.customer_id IS NULL AND souk.me() IS NOT NULL) THEN
		b := shop.basket_open(false, NULL);
		ids := ARRAY[b.id];
	END IF;
	IF ids = '{}' OR NOT EXISTS (SELECT FROM shop.basket_items i WHERE i.basket_id = ids[1]) THEN
		PERFORM souk.fail('SK409', 'the basket is empty; put something into it first');
	END IF;
	o := shop.order_place(ids[1], jsonb_strip_nulls(jsonb_build_object('email', args->>'email', 'name', args->>'name', 'phone', args->>'phone',
		'channel', args->>'channel', 'locale', args->>'locale', 'address', nullif(jsonb_strip_nulls(jsonb_build_object('line1', a->>'line1', 'line2', a->>'line2',
			'postcode', a->>'postalCode', 'city', a->>'city', 'country', upper(a->>'country'))), '{}'))), make_interval(mins => hold));
	-- A code that each buyer has once needs to know the buyer before they can pay: the shop's own page asks.
	RETURN json_build_object('order', o.id::text, 'number', o.number, 'total', o.total_minor, 'ask', souk.me() IS NULL AND coalesce(o.email, '') = ''
		AND EXISTS (SELECT FROM unnest((SELECT x.codes FROM shop.baskets x WHERE x.id = ids[1])) c JOIN shop.discounts d ON d.code = c
			WHERE d.customer_limit IS NOT NULL));
END
$$;

-- For the shop itself, as the next three: an attempt to pay an order, with what the provider has to be asked: {payment, state, url, steps}; url when it was asked already. opts: {success,
-- cancel, locale}. An order that costs nothing is paid.
CREATE OR REPLACE FUNCTION shop.pay_start(which bigint, way text, form text, opts jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	p shop.payments;
	o shop.orders;
	steps jsonb;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'payment pages are the shop''s');
	END IF;
	PERFORM set_config('souk.kind', 'system', true);
	p := shop.payment_open(which, way, form);
	IF way = 'stripe' AND form = 'link' AND p.url IS NULL THEN
		PERFORM shop.hold_until(which, now() + interval '7 days');
	END IF;
	SELECT * INTO o FROM shop.orders x WHERE x.id = which;
	SELECT * INTO p FROM shop.payments x WHERE x.id = p.id;
	steps := CASE WHEN way = 'stripe' AND p.url IS NULL THEN shop.stripe_steps(p, o, opts, opts->>'locale') END;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN json_build_object('payment', p.id::text, 'state', p.state, 'url', p.url, 'steps', steps);
END
$$;

-- The provider has answered. A payment that ended meanwhile is closed there at once.
CREATE OR REPLACE FUNCTION shop.pay_started(which bigint, external text, link text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p shop.payments;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop takes down payments');
	END IF;
	PERFORM FROM shop.orders o JOIN shop.payments x ON x.order_id = o.id WHERE x.id = which FOR UPDATE OF o;
	UPDATE shop.payments x SET external_id = external, url = link, updated_at = now() WHERE x.id = which RETURNING * INTO p;
	IF p.state NOT IN ('open', 'pending', 'paid') THEN
		PERFORM souk.outbox_add('stripe', NULL, NULL, NULL, NULL, jsonb_build_object('close', p.id), 'stripe:close:' || p.id, NULL);
	END IF;
	RETURN p.state IN ('open', 'pending', 'paid');
END
$$;

-- What get_payment_link answers.
CREATE OR REPLACE FUNCTION shop.pay_link(which bigint, link text, provider text, methods json) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'for the shop itself');
	END IF;
	RETURN (SELECT json_strip_nulls(json_build_object('orderNumber', o.number, 'status', o.status, 'paymentStatus', o.payment_status,
		'amount', souk.money(o.total_minor, o.currency), 'currency', o.currency, 'paymentUrl', link, 'provider', provider, 'methods', methods,
		'expiresAt', (SELECT souk.rfc3339(h.expires_at) FROM shop.stock_holds h WHERE h.order_id = o.id),
		'priceChanged', (SELECT json_agg(json_build_object('productId', i.product_id::text, 'sku', i.sku, 'name', i.name,
			'old', souk.money(w.seen_minor, o.currency), 'new', souk.money(i.unit_price_minor, o.currency)) ORDER BY i.position, i.id)
			FROM shop.order_items i JOIN shop.baskets b ON b.order_id = i.order_id
			JOIN shop.basket_items w ON w.basket_id = b.id AND w.product_id = i.product_id AND w.variant_id IS NOT DISTINCT FROM i.variant_id
			WHERE i.order_id = o.id AND w.seen_minor <> i.unit_price_minor)))
		FROM shop.orders o WHERE o.id = which);
END
$$;

-- The payment page of an order, for whoever holds its handle: the program has checked it. NULL: no such order.
CREATE OR REPLACE FUNCTION shop.pay_view(which bigint, spoken text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	made json;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'payment pages are the shop''s');
	END IF;
	PERFORM set_config('souk.kind', 'system', true);
	SELECT json_build_object('number', o.number, 'status', o.status, 'paymentStatus', o.payment_status, 'currency', o.currency,
		'subtotal', souk.money_text(o.subtotal_minor, o.currency, spoken), 'discount', CASE WHEN o.discount_minor > 0
			THEN souk.money_text(-o.discount_minor, o.currency, spoken) END,
		'shipping', souk.money_text(o.shipping_minor, o.currency, spoken), 'total', souk.money_text(o.total_minor, o.currency, spoken),
		'free', o.total_minor = 0, 'amount', souk.money(o.total_minor, o.currency)::text, 'card', shop.stripe_takes(o.total_minor, o.currency),
		'customer', o.customer_id IS NOT NULL,
		'email', coalesce(o.email, (SELECT c.email FROM shop.customers c WHERE c.id = o.customer_id)),
		'address', o.shipping_address,
		'countries', (SELECT coalesce(json_agg(r.country ORDER BY r.id) FILTER (WHERE r.country <> '*'), '[]') FROM shop.shipping_rates r
			WHERE r.currency = o.currency),
		'items', (SELECT json_agg(json_build_object('name', i.name, 'quantity', i.quantity, 'total', souk.money_text(i.total_minor, o.currency, spoken))
			ORDER BY i.position, i.id) FROM shop.order_items i WHERE i.order_id = o.id),
		'until', (SELECT souk.date_text(h.expires_at, spoken) FROM shop.stock_holds h WHERE h.order_id = o.id),
		'payment', (SELECT json_build_object('provider', p.provider, 'state', p.state, 'reference', p.reference, 'url', p.url)
			FROM shop.payments p WHERE p.order_id = o.id ORDER BY p.paid_at IS NULL, p.id DESC LIMIT 1))
	  INTO made FROM shop.orders o WHERE o.id = which;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN made;
END
$$;

-- The buyer chooses on the payment page: bank_transfer (the stock is then held for days) or on_delivery (the order goes its way at once). The program
-- has checked the page's handle. buyer as for order_place. Choosing twice is choosing once. Where delivery to the address
-- costs something else than was shown, only that is taken down, {repriced: true}, and the buyer chooses again.
CREATE OR REPLACE FUNCTION shop.pay_choose(which bigint, way text, buyer jsonb, hold_days integer) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	o shop.orders;
	p shop.payments;
	was bigint;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'payment pages are the shop''s');
	END IF;
	PERFORM set_config('souk.kind', 'system', true);
	SELECT * INTO o FROM shop.orders x WHERE x.id = which FOR UPDATE;
	was := o.total_minor;
	IF o.id IS NULL THEN
		PERFORM souk.fail('SK404', 'there is no such order');
	ELSIF o.status = 'PENDING' THEN
		o := shop.order_buyer(o, buyer);
		IF way IN ('bank_transfer', 'on_delivery') AND (coalesce(o.shipping_address->>'line1', '') = ''
				OR (o.customer_id IS NULL AND coalesce(o.email, '') = '')) THEN
			PERFORM souk.fail('SK400', 'an e-mail address and a delivery address are needed');
		END IF;
	END IF;
	IF o.total_minor = was AND o.status = 'PENDING' AND (o.total_minor = 0 OR way <> 'stripe') THEN
		p := shop.payment_open(o.id, CASE WHEN o.total_minor = 0 THEN 'bank_transfer' ELSE way END, 'checkout');
		PERFORM souk.notify('order_confirmation', o.customer_id, CASE WHEN o.customer_id IS NULL THEN o.email END, NULL,
			jsonb_build_object('orderId', o.id::text), 'order_confirmation:' || o.id);
		IF o.total_minor = 0 THEN
			PERFORM shop.payment_settled(p.id, 'paid', jsonb_build_object('amount', 0, 'currency', o.currency));
		ELSIF way = 'on_delivery' THEN
			PERFORM shop.order_move(o.id, 'PROCESSING', 'paid on delivery', NULL);
		ELSE
			PERFORM shop.hold_until(o.id, now() + make_interval(days => hold_days));
		END IF;
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN json_build_object('repriced', o.total_minor <> was);
END
$$;

-- Money that came outside a provider: $1 of mark_paid. The sum has to be the order's.
CREATE OR REPLACE FUNCTION shop.mark_paid(args jsonb) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	o shop.orders;
	p shop.payments;
	done text;
BEGIN
	SELECT * INTO o FROM shop.orders x WHERE x.number = args->>'orderNumber';
	IF o.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT * INTO p FROM shop.payments x WHERE x.order_id = o.id AND x.provider <> 'stripe' ORDER BY x.state IN ('open', 'pending', 'mismatch') DESC, x.id DESC LIMIT 1;
	-- Delivery may cost something else since the buyer chose: what was asked for then does not pay the order.
	IF p.id IS NULL OR (o.status = 'PENDING' AND p.paid_at IS NULL AND p.amount_minor <> o.total_minor) THEN
		IF o.status <> 'PENDING' THEN
			PERFORM souk.fail('SK409', format('order %s is %s and waits for no payment', o.number, o.status));
		END IF;
		p := shop.payment_open(o.id, 'bank_transfer', 'checkout');
	END IF;
	IF souk.minor((args->>'amount')::numeric, o.currency) <> p.amount_minor OR upper(coalesce(args->>'currency', o.currency)) <> p.currency THEN
		PERFORM souk.fail('SK409', format('order %s costs %s %s; another sum does not pay it', o.number, souk.money(p.amount_minor, p.currency), p.currency));
	END IF;
	done := shop.payment_settled(p.id, 'paid', jsonb_build_object('amount', p.amount_minor, 'currency', p.currency, 'note', args->>'note'));
	IF done NOT IN ('paid', 'duplicate', 'refund_due') THEN
		PERFORM souk.fail('SK409', format('order %s: %s', o.number, done));
	END IF;
	SELECT * INTO o FROM shop.orders x WHERE x.id = o.id;
	RETURN json_build_object('orderNumber', o.number, 'status', o.status, 'paymentStatus', o.payment_status, 'result', done,
		'amount', souk.money(p.amount_minor, p.currency), 'currency', p.currency);
END
$$;

-- A refund that somebody has sent by hand: $1 of mark_refunded.
CREATE OR REPLACE FUNCTION shop.mark_refunded(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r shop.refunds;
	o shop.orders;
	p shop.payments;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop takes down refunds');
	END IF;
	SELECT x.* INTO o FROM shop.orders x JOIN shop.refunds y ON y.order_id = x.id WHERE y.id::text = args->>'refundId' FOR UPDATE OF x;
	SELECT * INTO r FROM shop.refunds y WHERE y.id::text = args->>'refundId' FOR UPDATE;
	IF r.id IS NULL THEN
		RETURN NULL;
	ELSIF r.state = 'manual' THEN
		UPDATE shop.refunds x SET state = 'succeeded', sent_at = now(), settled_at = now(), note = left(args->>'note', 200) WHERE x.id = r.id;
		SELECT * INTO p FROM shop.payments x WHERE x.id = r.payment_id FOR UPDATE;
		PERFORM shop.payment_returned(o, p, jsonb_build_object('refunded', (SELECT sum(x.amount_minor) FROM shop.refunds x
			WHERE x.payment_id = p.id AND x.state = 'succeeded')));
		UPDATE souk.alerts a SET resolved_at = now() WHERE a.kind = 'refund' AND a.details->>'refund' = r.id::text AND a.resolved_at IS NULL;
	ELSIF r.state <> 'succeeded' THEN
		PERFORM souk.fail('SK409', format('the payment provider sends this refund; it is %s', r.state));
	END IF;
	SELECT * INTO o FROM shop.orders x WHERE x.id = o.id;
	RETURN json_build_object('refundId', r.id::text, 'orderNumber', o.number, 'amount', souk.money(r.amount_minor, r.currency), 'currency', r.currency,
		'state', 'succeeded', 'paymentStatus', o.payment_status);
END
$$;

-- What time does: orders that were not paid in time, baskets that were left. -> {orders, baskets}
CREATE OR REPLACE FUNCTION shop.payments_sweep() RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	orders integer := 0;
	baskets integer;
	late record;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'for the shop itself');
	END IF;
	FOR late IN SELECT h.order_id FROM shop.stock_holds h WHERE h.expires_at <= now() ORDER BY h.order_id LIMIT 100 LOOP
		orders := orders + shop.order_expire(late.order_id, true)::integer;
	END LOOP;
	-- Events hold names and addresses; what was made of them is in the payments.
	DELETE FROM shop.payment_events e WHERE e.id IN (SELECT x.id FROM shop.payment_events x
		WHERE x.processed_at < now() - interval '90 days' LIMIT 1000);
	-- Given up by the dispatcher: the money is still here.
	PERFORM shop.refund_failed(r.id, o.reason) FROM souk.outbox o JOIN shop.refunds r ON r.id = (o.data->>'refund')::bigint
	  WHERE o.channel = 'stripe' AND o.status = 'parked' AND o.done_at > now() - interval '7 days' AND r.state IN ('requested', 'sent');
	DELETE FROM shop.baskets b WHERE b.id IN (SELECT x.id FROM shop.baskets x WHERE x.expires_at <= now() AND x.order_id IS NULL LIMIT 1000);
	GET DIAGNOSTICS baskets = ROW_COUNT;
	RETURN json_build_object('orders', orders, 'baskets', baskets);
END
$$;
