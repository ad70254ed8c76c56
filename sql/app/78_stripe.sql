-- What souk says to Stripe and what it makes of what Stripe says: https://docs.stripe.com/api. Requests are made here as JSON, which the
-- program writes in Stripe's form encoding; {"steps": [{"path", "params", "key"}, ...]}, where the second step needs the id of the first.

-- Lines of an order for Stripe's price_data: one for each product where every price can be said exactly, else one for the order as a whole. With a
-- discount the lines are what is paid for them, with the number in the name. Delivery is a shipping option of its own.
CREATE OR REPLACE FUNCTION shop.stripe_lines(o shop.orders) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	made jsonb;
	total bigint;
BEGIN
	SELECT jsonb_agg(jsonb_build_object('quantity', CASE WHEN o.discount_minor > 0 THEN 1 ELSE i.quantity END,
			'price_data', jsonb_build_object('currency', lower(o.currency),
				'unit_amount', shop.stripe_amount(CASE WHEN o.discount_minor > 0 THEN i.total_minor - i.discount_minor ELSE i.unit_price_minor END, o.currency),
				'product_data', jsonb_build_object('name', left(CASE WHEN o.discount_minor > 0 AND i.quantity > 1 THEN i.quantity || ' x ' ELSE '' END || i.name, 250),
					'metadata', jsonb_build_object('sku', i.sku)))) ORDER BY i.position, i.id),
		sum(shop.stripe_amount(i.total_minor - i.discount_minor, o.currency))
	  INTO made, total FROM shop.order_items i WHERE i.order_id = o.id;
	IF total IS DISTINCT FROM shop.stripe_amount(o.total_minor - o.shipping_minor, o.currency)
			OR jsonb_path_exists(made, '$[*].price_data.unit_amount ? (@ == null)') OR jsonb_array_length(made) > 100 THEN
		RETURN jsonb_build_array(jsonb_build_object('quantity', 1, 'price_data', jsonb_build_object('currency', lower(o.currency),
			'unit_amount', shop.stripe_amount(o.total_minor - o.shipping_minor, o.currency),
			'product_data', jsonb_build_object('name', o.number))));
	END IF;
	RETURN made;
END
$$;

-- The countries that an order whose buyer gave no address may be sent to at its price.
CREATE OR REPLACE FUNCTION shop.stripe_countries(o shop.orders) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
SELECT coalesce((SELECT jsonb_agg(r.country ORDER BY r.id) FROM shop.shipping_rates r WHERE r.country <> '*' AND r.currency = o.currency
		AND (o.shipping_minor = 0 OR r.price_minor = o.shipping_minor)
		-- Stripe refuses a session that names one of these.
		AND r.country NOT IN ('AS', 'CC', 'CU', 'CX', 'FM', 'HM', 'IR', 'KP', 'MH', 'MP', 'NF', 'PW', 'SD', 'SY', 'UM', 'VI')),
	'["AT", "BE", "CH", "DE", "ES", "FR", "GB", "IE", "IT", "LU", "NL", "PT"]')
$$;

-- A Checkout Session, which lives as long as the stock is held (Stripe takes 30 minutes to 24 hours), or a Payment Link over one Price, which
-- lives until it was paid once. urls: {success, cancel}. The keys hold a sum of what is asked: where an answer was lost and the buyer has told their
-- address meanwhile, it is another call, which Stripe would refuse under the first one's key.
CREATE OR REPLACE FUNCTION shop.stripe_steps(p shop.payments, o shop.orders, urls jsonb, locale text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	marks jsonb := jsonb_build_object('souk_order', o.number, 'souk_payment', p.reference);
	mail text := coalesce(o.email, (SELECT c.email FROM shop.customers c WHERE c.id = o.customer_id));
	address jsonb := CASE WHEN coalesce(o.shipping_address->>'line1', '') = ''
		THEN jsonb_build_object('shipping_address_collection', jsonb_build_object('allowed_countries', shop.stripe_countries(o))) ELSE '{}' END;
	intent jsonb := jsonb_build_object('metadata', marks, 'description', o.number);
	shipping jsonb;
	session jsonb;
	link jsonb;
BEGIN
	IF p.kind = 'link' THEN
		link := address || jsonb_build_object(
			'line_items', jsonb_build_array(jsonb_build_object('quantity', 1)),
			'metadata', marks, 'payment_intent_data', intent,
			'restrictions', jsonb_build_object('completed_sessions', jsonb_build_object('limit', 1)),
			'after_completion', jsonb_build_object('type', 'redirect', 'redirect', jsonb_build_object('url', urls->>'success')));
		RETURN jsonb_build_array(
			jsonb_build_object('path', '/v1/prices', 'key', 'souk-price-' || p.reference || '-' || p.id, 'params', jsonb_build_object(
				'currency', lower(p.currency), 'unit_amount', shop.stripe_amount(p.amount_minor, p.currency),
				'product_data', jsonb_build_object('name', o.number))),
			jsonb_build_object('path', '/v1/payment_links', 'key', 'souk-link-' || p.reference || '-' || p.id || '-' || left(md5(link::text), 8),
				'params', link));
	END IF;
	shipping := CASE WHEN o.shipping_minor > 0 THEN jsonb_build_object('shipping_options', jsonb_build_array(jsonb_build_object('shipping_rate_data',
		jsonb_build_object('type', 'fixed_amount', 'display_name', CASE locale WHEN 'fr' THEN 'Livraison' WHEN 'de' THEN 'Versand' WHEN 'es' THEN 'Envío'
			ELSE 'Delivery' END, 'fixed_amount', jsonb_build_object('amount', shop.stripe_amount(o.shipping_minor, o.currency), 'currency', lower(o.currency))))))
		ELSE '{}' END;
	session := address || shipping || jsonb_strip_nulls(jsonb_build_object('mode', 'payment', 'client_reference_id', p.reference, 'customer_email', mail,
		'locale', locale, 'success_url', urls->>'success', 'cancel_url', urls->>'cancel',
		'expires_at', extract(epoch FROM least(greatest(p.expires_at, p.created_at + interval '31 minutes'), p.created_at + interval '23 hours 50 minutes'))::bigint,
		'line_items', shop.stripe_lines(o), 'metadata', marks, 'payment_intent_data', intent));
	RETURN jsonb_build_array(jsonb_build_object('path', '/v1/checkout/sessions',
		'key', 'souk-session-' || p.reference || '-' || p.id || '-' || left(md5(session::text), 8), 'params', session));
END
$$;

-- The payment that an event is about; a row of NULLs when there is none (yet). obj: the event's object.
CREATE OR REPLACE FUNCTION shop.stripe_payment(obj jsonb) RETURNS shop.payments
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	p shop.payments;
	session boolean := obj->>'object' = 'checkout.session';
BEGIN
	IF session THEN
		SELECT * INTO p FROM shop.payments x WHERE x.provider = 'stripe' AND x.external_id IN (obj->>'id', obj->>'payment_link');
	ELSE
		SELECT * INTO p FROM shop.payments x WHERE x.provider = 'stripe' AND x.intent_id = obj->>'payment_intent';
	END IF;
	IF p.id IS NULL THEN
		-- Our mark tells, where the answer that held the id was lost; another id than the one that is known does not.
		SELECT * INTO p FROM shop.payments x WHERE x.provider = 'stripe' AND x.reference = obj->'metadata'->>'souk_payment'
		   AND (x.external_id IS NULL OR NOT session);
	END IF;
	RETURN p;
END
$$;

-- What an event means: {outcome, data}; NULL for what changes nothing here. A session of a link that somebody has opened and left says nothing of the
-- link. Events of interfaces before 2025-03-31 show what the buyer saw, with our amount beside it.
CREATE OR REPLACE FUNCTION shop.stripe_meaning(kind text, obj jsonb, currency text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	ours text := coalesce(obj->'currency_conversion'->>'source_currency', obj->>'currency');
	paid jsonb := jsonb_build_object('amount', shop.stripe_minor(coalesce((obj->'currency_conversion'->>'amount_total')::bigint, (obj->>'amount_total')::bigint),
		upper(ours)), 'currency', ours, 'intent', obj->>'payment_intent');
BEGIN
	CASE kind
	WHEN 'checkout.session.completed' THEN
		RETURN jsonb_build_object('outcome', CASE WHEN obj->>'payment_status' IN ('paid', 'no_payment_required') THEN 'paid' ELSE 'pending' END, 'data', paid);
	WHEN 'checkout.session.async_payment_succeeded' THEN
		RETURN jsonb_build_object('outcome', 'paid', 'data', paid);
	WHEN 'checkout.session.async_payment_failed' THEN
		RETURN jsonb_build_object('outcome', 'failed', 'data', jsonb_build_object('intent', obj->>'payment_intent'));
	WHEN 'checkout.session.expired' THEN
		RETURN CASE WHEN obj->>'payment_link' IS NULL THEN jsonb_build_object('outcome', 'expired', 'data', '{}'::jsonb) END;
	WHEN 'charge.refunded' THEN
		RETURN jsonb_build_object('outcome', 'refunded', 'data', jsonb_build_object('intent', obj->>'payment_intent', 'currency', obj->'currency',
			'amount', shop.stripe_minor((obj->>'amount')::bigint, upper(obj->>'currency')),
			'refunded', shop.stripe_minor((obj->>'amount_refunded')::bigint, upper(obj->>'currency'))));
	WHEN 'charge.dispute.created' THEN
		RETURN jsonb_build_object('outcome', 'disputed', 'data', jsonb_build_object('note', obj->'reason'));
	WHEN 'charge.dispute.closed' THEN
		RETURN jsonb_build_object('outcome', CASE WHEN obj->>'status' = 'lost' THEN 'dispute_lost' ELSE 'dispute_won' END, 'data',
			jsonb_build_object('currency', obj->'currency', 'amount', shop.stripe_minor((obj->>'amount')::bigint, upper(obj->>'currency'))));
	ELSE
		RETURN NULL;
	END CASE;
END
$$;

-- The buyer's name and address, where Stripe asked for them.
CREATE OR REPLACE FUNCTION shop.stripe_buyer(which bigint, obj jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	there jsonb := coalesce(obj->'collected_information'->'shipping_details', obj->'shipping_details', 'null');
	a jsonb := there->'address';
	c jsonb := coalesce(obj->'customer_details', '{}');
BEGIN
	UPDATE shop.orders o SET email = CASE WHEN o.customer_id IS NULL THEN coalesce(o.email, c->>'email') ELSE o.email END,
		shipping_address = CASE WHEN coalesce(o.shipping_address->>'line1', '') = '' AND a->>'line1' IS NOT NULL
			THEN o.shipping_address || jsonb_strip_nulls(jsonb_build_object('name', coalesce(there->>'name', c->>'name'), 'phone', c->>'phone',
				'line1', a->>'line1', 'line2', nullif(a->>'line2', ''), 'postcode', a->>'postal_code', 'city', a->>'city', 'country', a->>'country'))
			ELSE o.shipping_address END
	 WHERE o.id = which;
	UPDATE shop.discount_uses u SET email = o.email FROM shop.orders o WHERE o.id = which AND u.order_id = o.id AND u.email IS NULL AND o.customer_id IS NULL;
END
$$;

-- A refund that Stripe could not make after all: the money is still here, and somebody has to know.
CREATE OR REPLACE FUNCTION shop.refund_failed(refund bigint, why text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	r shop.refunds;
	number text;
BEGIN
	SELECT o.number INTO number FROM shop.orders o JOIN shop.refunds x ON x.order_id = o.id WHERE x.id = refund FOR UPDATE OF o;
	UPDATE shop.refunds x SET state = 'failed', settled_at = now(), note = left(why, 200) WHERE x.id = refund AND x.state <> 'failed' RETURNING * INTO r;
	IF r.id IS NULL THEN
		RETURN 'duplicate';
	END IF;
	UPDATE shop.payments p SET updated_at = now(), state = CASE WHEN p.state = 'refunded' THEN 'paid' ELSE p.state END,
		refunded_minor = least(p.refunded_minor, (SELECT coalesce(sum(x.amount_minor), 0) FROM shop.refunds x
			WHERE x.payment_id = p.id AND x.state = 'succeeded')) WHERE p.id = r.payment_id;
	UPDATE shop.orders o SET payment_status = CASE WHEN p.refunded_minor > 0 THEN 'part_refunded' ELSE 'paid' END, updated_at = now()
	  FROM shop.payments p WHERE p.id = r.payment_id AND o.id = r.order_id AND o.payment_status IN ('refunded', 'part_refunded');
	PERFORM souk.alert('refund', 'critical', format('order %s: a refund of %s %s failed', number, souk.money(r.amount_minor, r.currency), r.currency),
		jsonb_build_object('refund', r.id, 'order', number, 'why', left(why, 200)));
	RETURN 'failed';
END
$$;

-- Take a refund's state down, as Stripe tells it in an answer or an event.
CREATE OR REPLACE FUNCTION shop.stripe_refund(obj jsonb, refund bigint) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	r shop.refunds;
	o shop.orders;
	p shop.payments;
	was text;
BEGIN
	SELECT x.* INTO o FROM shop.orders x JOIN shop.refunds y ON y.order_id = x.id WHERE y.id = refund FOR UPDATE OF x;
	SELECT * INTO r FROM shop.refunds x WHERE x.id = refund;
	was := r.state;
	UPDATE shop.refunds x SET external_id = coalesce(x.external_id, obj->>'id'), sent_at = coalesce(x.sent_at, now()),
		state = CASE WHEN x.state = 'requested' THEN 'sent' ELSE x.state END WHERE x.id = r.id;
	IF obj->>'status' IN ('failed', 'canceled') THEN
		RETURN shop.refund_failed(r.id, coalesce(obj->>'failure_reason', obj->>'status'));
	ELSIF obj->>'status' = 'succeeded' AND was IN ('requested', 'sent') THEN
		UPDATE shop.refunds x SET state = 'succeeded', settled_at = now() WHERE x.id = r.id;
		SELECT * INTO p FROM shop.payments x WHERE x.id = r.payment_id FOR UPDATE;
		RETURN shop.payment_returned(o, p, jsonb_build_object('refunded', (SELECT sum(x.amount_minor) FROM shop.refunds x
			WHERE x.payment_id = p.id AND x.state = 'succeeded')));
	END IF;
	RETURN CASE WHEN was = 'succeeded' THEN 'duplicate' ELSE 'sent' END;
END
$$;

-- Work off one event of the inbox, whichever is due; NULL when there is none, else {event, outcome}. An event whose payment is not known yet
-- waits: what brings the payment makes it due again. One that cannot be worked off waits too, with an alert.
CREATE OR REPLACE FUNCTION shop.payment_event_next() RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	e shop.payment_events;
	obj jsonb;
	p shop.payments;
	meant jsonb;
	done text;
	failed boolean := false;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop works off payment events');
	END IF;
	SELECT * INTO e FROM shop.payment_events x WHERE x.processed_at IS NULL AND x.next_at <= clock_timestamp()
	 ORDER BY x.next_at, x.id LIMIT 1 FOR UPDATE SKIP LOCKED;
	IF e.id IS NULL THEN
		RETURN NULL;
	END IF;
	BEGIN
		obj := e.body->'data'->'object';
		IF e.body->>'account' IS NOT NULL THEN
			done := 'ignored';                   -- of another account that is connected to ours
		ELSIF obj->>'object' = 'refund' THEN
			done := coalesce((SELECT shop.stripe_refund(obj, r.id) FROM shop.refunds r
				WHERE r.external_id = obj->>'id' OR r.id::text = obj->'metadata'->>'souk_refund' ORDER BY r.external_id = obj->>'id' DESC NULLS LAST LIMIT 1), 'ignored');
		ELSE
			meant := shop.stripe_meaning(e.type, obj, NULL);
			p := CASE WHEN meant IS NOT NULL THEN shop.stripe_payment(obj) END;
			IF meant IS NULL THEN
				done := 'ignored';
			ELSIF p.id IS NOT NULL THEN
				IF e.type = 'checkout.session.completed' THEN
					PERFORM shop.stripe_buyer(p.order_id, obj);
				END IF;
				done := shop.payment_settled(p.id, meant->>'outcome', meant->'data');
				-- What was told of this payment before it was known here.
				UPDATE shop.payment_events x SET next_at = now() WHERE x.processed_at IS NULL AND x.id <> e.id
				   AND x.body->'data'->'object'->>'payment_intent' = obj->>'payment_intent';
			ELSIF e.received_at < now() - interval '3 days' THEN
				done := 'unknown';
			END IF;
		END IF;
	EXCEPTION WHEN OTHERS THEN
		-- What passes (locks, memory, a stop) is tried again at once; anything else must not hold up the events behind it.
		IF left(SQLSTATE, 2) IN ('08', '40', '53', '55', '57', '58') THEN
			RAISE;
		END IF;
		p := NULL;
		done := NULL;
		failed := true;
		IF e.attempts = 0 THEN
			PERFORM souk.alert('payment', 'critical', format('event %s of %s cannot be worked off: %s', e.event_id, e.provider, SQLERRM),
				jsonb_build_object('event', e.event_id, 'type', e.type));
		END IF;
	END;
	UPDATE shop.payment_events x SET attempts = x.attempts + 1, payment_id = coalesce(p.id, x.payment_id), outcome = done,
		processed_at = CASE WHEN done IS NOT NULL THEN now() END,
		next_at = now() + least(make_interval(secs => 5 * 2 ^ least(x.attempts, 10)), interval '1 hour') WHERE x.id = e.id;
	RETURN json_build_object('event', e.event_id, 'outcome', coalesce(done, CASE WHEN failed THEN 'failed' ELSE 'waiting' END));
END
$$;

-- The inbox: true when the event is new. For the program that has checked its signature.
CREATE OR REPLACE FUNCTION shop.payment_event_add(provider text, body jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop takes in payment events');
	END IF;
	INSERT INTO shop.payment_events (provider, event_id, type, happened_at, body)
	VALUES ($1, $2->>'id', $2->>'type', to_timestamp(($2->>'created')::bigint), $2) ON CONFLICT DO NOTHING;
	RETURN FOUND;
END
$$;

-- What the dispatcher of the outbox has to send for a row of channel stripe, {path, params, key}; NULL: nothing any more.
CREATE OR REPLACE FUNCTION shop.stripe_task(task jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p shop.payments;
	r shop.refunds;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'for the shop itself');
	END IF;
	IF task ? 'refund' THEN
		SELECT * INTO r FROM shop.refunds x WHERE x.id = (task->>'refund')::bigint;
		SELECT * INTO p FROM shop.payments x WHERE x.id = r.payment_id;
		IF r.state <> 'requested' OR r.external_id IS NOT NULL THEN
			RETURN NULL;                         -- Stripe has it: its events tell the rest
		END IF;
		RETURN jsonb_build_object('path', '/v1/refunds', 'key', 'souk-refund-' || r.id || '-' || p.reference, 'params', jsonb_build_object(
			'payment_intent', p.intent_id, 'amount', shop.stripe_amount(r.amount_minor, r.currency), 'reason', 'requested_by_customer',
			'metadata', jsonb_build_object('souk_refund', r.id::text, 'souk_payment', p.reference)));
	END IF;
	SELECT * INTO p FROM shop.payments x WHERE x.id = (task->>'close')::bigint;
	IF p.external_id IS NULL OR p.paid_at IS NOT NULL THEN
		RETURN NULL;
	ELSIF p.kind = 'link' THEN
		RETURN jsonb_build_object('path', '/v1/payment_links/' || p.external_id, 'key', 'souk-close-' || p.id, 'params', '{"active": "false"}'::jsonb);
	END IF;
	RETURN jsonb_build_object('path', '/v1/checkout/sessions/' || p.external_id || '/expire', 'key', 'souk-close-' || p.id, 'params', '{}'::jsonb);
END
$$;

-- Take down what Stripe answered to it. status: HTTP's. -> "done", or "failed" where a repeat cannot help.
CREATE OR REPLACE FUNCTION shop.stripe_task_done(task jsonb, status integer, answer jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'for the shop itself');
	END IF;
	IF task ? 'refund' THEN
		IF status BETWEEN 200 AND 299 THEN
			PERFORM shop.stripe_refund(answer, (task->>'refund')::bigint);
			RETURN 'done';
		END IF;
		PERFORM shop.refund_failed((task->>'refund')::bigint, coalesce(answer->'error'->>'code', answer->'error'->>'message', 'status ' || status));
		RETURN 'failed';
	END IF;
	-- A session that is paid or has expired cannot be closed, and need not be.
	RETURN CASE WHEN status BETWEEN 200 AND 299 OR status = 400 THEN 'done' ELSE 'failed' END;
END
$$;
