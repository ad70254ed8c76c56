-- Payments: what is to be paid, what was paid, what goes back. The amount and currency of an order are its own; whatever a provider says is
-- compared with them, and nothing else makes an order PAID.

-- Write an alert down, once while it is open.
CREATE OR REPLACE FUNCTION souk.alert(kind text, severity text, message text, details jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	INSERT INTO souk.alerts AS a (kind, severity, message, details) VALUES ($1, $2, left($3, 500), coalesce($4, '{}'))
	ON CONFLICT (kind, message) WHERE resolved_at IS NULL DO UPDATE SET last_seen_at = now(), seen_count = a.seen_count + 1;
	PERFORM souk.notify('alert', NULL, NULL, NULL, jsonb_build_object('severity', $2, 'message', left($3, 500), 'kind', $1), NULL);
END
$$;

-- Stripe's integers: https://docs.stripe.com/currencies. It counts MGA in whole units and ISK and UGX in hundredths; amounts of three decimals
-- have to end in 0. NULL: that amount cannot be paid there exactly.
CREATE OR REPLACE FUNCTION shop.stripe_amount(minor bigint, currency text) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$
SELECT CASE
	WHEN currency IN ('ISK', 'UGX') THEN minor * 100
	WHEN currency = 'MGA' THEN CASE WHEN minor % 100 = 0 THEN minor / 100 END
	WHEN souk.money_scale(currency) = 3 THEN CASE WHEN minor % 10 = 0 THEN minor END
	WHEN souk.money_scale(currency) > 3 THEN NULL
	ELSE minor END
$$;

-- Can a card pay this? Stripe takes no less than about half a euro (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts) and no
-- more than eight digits. Currencies that are not here have no minimum of their own.
CREATE OR REPLACE FUNCTION shop.stripe_takes(minor bigint, currency text) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
SELECT coalesce(shop.stripe_amount(minor, currency) BETWEEN CASE currency WHEN 'AED' THEN 200 WHEN 'AUD' THEN 50 WHEN 'BGN' THEN 100 WHEN 'BRL' THEN 50
	WHEN 'CAD' THEN 50 WHEN 'CHF' THEN 50 WHEN 'CZK' THEN 1500 WHEN 'DKK' THEN 250 WHEN 'EUR' THEN 50 WHEN 'GBP' THEN 30 WHEN 'HKD' THEN 400
	WHEN 'HUF' THEN 17500 WHEN 'INR' THEN 50 WHEN 'JPY' THEN 50 WHEN 'MXN' THEN 1000 WHEN 'MYR' THEN 200 WHEN 'NOK' THEN 300 WHEN 'NZD' THEN 50
	WHEN 'PLN' THEN 200 WHEN 'RON' THEN 200 WHEN 'SEK' THEN 300 WHEN 'SGD' THEN 50 WHEN 'THB' THEN 1000 WHEN 'USD' THEN 50 ELSE 1 END AND 99999999, false)
$$;

-- The reverse; NULL for a fraction that souk does not have.
CREATE OR REPLACE FUNCTION shop.stripe_minor(amount bigint, currency text) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$
SELECT CASE
	WHEN currency IN ('ISK', 'UGX') THEN CASE WHEN amount % 100 = 0 THEN amount / 100 END
	WHEN currency = 'MGA' THEN amount * 100
	ELSE amount END
$$;

-- The open attempt to pay an order this way, made if there is none; another open one ends. For the shop itself: the program has checked the
-- signed handle of the payment page, or the basket. SK409 when nothing is to be paid any more.
CREATE OR REPLACE FUNCTION shop.payment_open(wanted bigint, way text, form text) RETURNS shop.payments
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	o shop.orders;
	p shop.payments;
	n integer;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop opens payments');
	END IF;
	PERFORM set_config('souk.kind', 'system', true);
	SELECT * INTO o FROM shop.orders x WHERE x.id = wanted FOR UPDATE;
	IF o.id IS NULL THEN
		PERFORM souk.fail('SK404', 'there is no such order');
	ELSIF o.status <> 'PENDING' OR o.payment_status NOT IN ('open', 'failed', 'pending') THEN
		PERFORM souk.fail('SK409', format('order %s is %s: nothing is to be paid', o.number, o.status));
	ELSIF way = 'stripe' AND NOT shop.stripe_takes(o.total_minor, o.currency) THEN
		PERFORM souk.fail('SK409', format('%s %s cannot be paid by card exactly; choose another way', souk.money(o.total_minor, o.currency), o.currency));
	END IF;
	SELECT * INTO p FROM shop.payments x WHERE x.order_id = o.id AND x.state IN ('open', 'pending') FOR UPDATE;
	IF p.id IS NOT NULL AND (p.provider <> way OR p.kind <> form OR p.amount_minor <> o.total_minor) THEN
		PERFORM shop.payment_close(p.id, 'expired');
		p := NULL;
	END IF;
	IF p.id IS NULL THEN
		SELECT count(*) INTO n FROM shop.payments x WHERE x.order_id = o.id;
		INSERT INTO shop.payments (order_id, provider, kind, amount_minor, currency, reference, expires_at)
		VALUES (o.id, way, form, o.total_minor, o.currency, o.number || CASE WHEN n > 0 THEN '-' || n + 1 ELSE '' END,
			(SELECT h.expires_at FROM shop.stock_holds h WHERE h.order_id = o.id))
		RETURNING * INTO p;
		UPDATE shop.orders x SET payment_status = 'open', updated_at = now() WHERE x.id = o.id AND x.payment_status <> 'open';
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN p;
END
$$;

-- End an attempt. What a provider has shown of it is closed there too, or somebody could still pay it.
CREATE OR REPLACE FUNCTION shop.payment_close(which bigint, becomes text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	p shop.payments;
BEGIN
	UPDATE shop.payments x SET state = becomes, updated_at = now() WHERE x.id = which AND x.state IN ('open', 'pending') RETURNING * INTO p;
	IF p.provider = 'stripe' AND p.external_id IS NOT NULL THEN
		PERFORM souk.outbox_add('stripe', NULL, NULL, NULL, NULL, jsonb_build_object('close', p.id), 'stripe:close:' || p.id, NULL);
	END IF;
END
$$;

-- How long the order of a payment waits for it, from now on.
CREATE OR REPLACE FUNCTION shop.hold_until(which bigint, until timestamptz) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE shop.stock_holds h SET expires_at = greatest(h.expires_at, until) WHERE h.order_id = which;
	UPDATE shop.payments p SET expires_at = (SELECT h.expires_at FROM shop.stock_holds h WHERE h.order_id = which)
	 WHERE p.order_id = which AND p.state IN ('open', 'pending');
	UPDATE shop.baskets b SET expires_at = greatest(b.expires_at, until + interval '1 day') WHERE b.order_id = which AND b.closed_at IS NULL;
END
$$;

-- Take down what has become of a payment. outcome: paid, pending, failed, expired, refunded, disputed, dispute_won, dispute_lost. data: {amount,
-- currency} of what was paid, in minor units, intent, {refunded} in all, note. For the shop itself (system, staff). Every outcome changes
-- the order once, whatever order they arrive in and however often; the answer says what was done: what was asked, "duplicate", "mismatch",
-- "refund_due" (paid, but there is nothing to deliver) or "ignored".
CREATE OR REPLACE FUNCTION shop.payment_settled(payment bigint, outcome text, data jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders;
	p shop.payments;
	told bigint := (data->>'refunded')::bigint;
	done text := 'ignored';
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop takes down payments');
	END IF;
	SELECT x.* INTO o FROM shop.orders x JOIN shop.payments y ON y.order_id = x.id WHERE y.id = payment FOR UPDATE OF x;
	SELECT * INTO p FROM shop.payments x WHERE x.id = payment FOR UPDATE;
	IF p.id IS NULL THEN
		PERFORM souk.fail('SK404', 'there is no such payment');
	END IF;
	IF data->>'intent' IS NOT NULL AND p.intent_id IS NULL THEN
		UPDATE shop.payments x SET intent_id = data->>'intent' WHERE x.id = p.id RETURNING * INTO p;
	END IF;
	CASE outcome
	WHEN 'paid' THEN
		done := shop.payment_paid(o, p, data);
	WHEN 'pending', 'failed', 'expired' THEN
		done := shop.payment_unpaid(o, p, outcome, data);
	WHEN 'refunded' THEN
		-- The news of a refund may overtake that of the payment.
		IF p.paid_at IS NULL AND data ? 'amount' THEN
			PERFORM shop.payment_paid(o, p, data);
			SELECT * INTO p FROM shop.payments x WHERE x.id = payment;
			SELECT * INTO o FROM shop.orders x WHERE x.id = p.order_id;
		END IF;
		-- The provider does not count what it took back in a dispute; that may be all, told before a refund that was made earlier.
		IF told <= p.paid_minor THEN
			told := (SELECT least(p.paid_minor, told + coalesce(sum(r.amount_minor), 0)) FROM shop.refunds r
				WHERE r.payment_id = p.id AND r.dedupe = 'dispute:' || p.id);
		END IF;
		done := shop.payment_returned(o, p, data || jsonb_build_object('refunded', told));
	WHEN 'disputed', 'dispute_won', 'dispute_lost' THEN
		done := shop.payment_disputed(o, p, outcome, data);
	ELSE
		RAISE EXCEPTION 'there is no outcome %', outcome;
	END CASE;
	RETURN done;
END
$$;

CREATE OR REPLACE FUNCTION shop.payment_paid(o shop.orders, p shop.payments, data jsonb) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	why text;
BEGIN
	IF p.paid_at IS NOT NULL THEN
		RETURN 'duplicate';
	ELSIF (data->>'amount')::bigint IS DISTINCT FROM p.amount_minor OR upper(data->>'currency') IS DISTINCT FROM p.currency THEN
		UPDATE shop.payments x SET state = 'mismatch', updated_at = now(), note = left(format('%s %s came instead of %s %s', data->>'amount',
			upper(data->>'currency'), p.amount_minor, p.currency), 200) WHERE x.id = p.id;
		PERFORM souk.alert('payment', 'critical', format('order %s: wrong amount or currency paid (%s)', o.number, p.reference),
			jsonb_build_object('order', o.number, 'expected', p.amount_minor, 'currency', p.currency, 'came', data->'amount', 'came_currency',
				upper(data->>'currency'), 'provider', p.provider));
		RETURN 'mismatch';
	END IF;
	UPDATE shop.payments x SET state = 'paid', paid_minor = p.amount_minor, paid_at = now(), updated_at = now(), note = left(data->>'note', 200)
	 WHERE x.id = p.id;
	IF o.status = 'CANCELLED' THEN
		why := 'paid after it was cancelled';
	ELSIF EXISTS (SELECT FROM shop.payments x WHERE x.order_id = o.id AND x.id <> p.id AND x.paid_at IS NOT NULL) THEN
		why := 'paid twice';
	END IF;
	IF why IS NOT NULL THEN
		PERFORM souk.alert('payment', 'warning', format('order %s was %s; the money goes back', o.number, why), jsonb_build_object('order', o.number,
			'payment', p.reference));
		PERFORM shop.refund_make(p.id, p.amount_minor, why, 'unwanted:' || p.id);
		RETURN 'refund_due';
	END IF;
	PERFORM shop.payment_close(x.id, 'expired') FROM shop.payments x WHERE x.order_id = o.id AND x.id <> p.id AND x.state IN ('open', 'pending');
	UPDATE shop.orders x SET payment_status = 'paid', paid_at = coalesce(x.paid_at, now()), updated_at = now() WHERE x.id = o.id;
	PERFORM souk.notify('order_confirmation', o.customer_id, CASE WHEN o.customer_id IS NULL THEN o.email END, NULL,
		jsonb_build_object('orderId', o.id::text), 'order_confirmation:' || o.id)
	  WHERE o.customer_id IS NOT NULL OR o.email IS NOT NULL;
	IF o.status = 'PENDING' OR (o.status = 'PROCESSING' AND p.provider <> 'on_delivery') THEN
		PERFORM shop.order_move(o.id, 'PAID', 'payment ' || p.reference, jsonb_build_object('provider', p.provider, 'reference', p.reference));
	ELSE
		PERFORM shop.order_note(o.id, 'note', NULL, NULL, 'paid', jsonb_build_object('provider', p.provider, 'reference', p.reference));
	END IF;
	RETURN 'paid';
END
$$;

CREATE OR REPLACE FUNCTION shop.payment_unpaid(o shop.orders, p shop.payments, outcome text, data jsonb) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
	IF p.state NOT IN ('open', 'pending') OR p.state = outcome THEN
		RETURN CASE WHEN p.state = outcome THEN 'duplicate' ELSE 'ignored' END;
	END IF;
	UPDATE shop.payments x SET state = outcome, updated_at = now(), note = left(data->>'note', 200) WHERE x.id = p.id;
	IF o.status <> 'PENDING' THEN
		RETURN outcome;
	ELSIF outcome = 'pending' THEN
		-- The buyer has done their part (direct debit, transfer through the provider): the order waits for the bank.
		UPDATE shop.orders x SET payment_status = 'pending', updated_at = now() WHERE x.id = o.id;
		PERFORM shop.hold_until(o.id, now() + interval '14 days');
	ELSIF outcome = 'failed' THEN
		UPDATE shop.orders x SET payment_status = 'failed', updated_at = now() WHERE x.id = o.id;
		PERFORM shop.order_note(o.id, 'note', NULL, NULL, 'payment failed', jsonb_build_object('provider', p.provider, 'reference', p.reference));
		PERFORM souk.notify('payment_failed', o.customer_id, CASE WHEN o.customer_id IS NULL THEN o.email END, NULL,
			jsonb_build_object('orderId', o.id::text), 'payment_failed:' || p.id)
		  WHERE o.customer_id IS NOT NULL OR o.email IS NOT NULL;
		PERFORM shop.hold_until(o.id, now() + interval '1 hour');
	ELSE
		PERFORM shop.order_move(o.id, 'CANCELLED', 'not paid in time', NULL);
	END IF;
	RETURN outcome;
END
$$;

-- data.refunded: what has gone back in all, as the provider counts it. What nobody here has asked for is written down as a refund too.
CREATE OR REPLACE FUNCTION shop.payment_returned(o shop.orders, p shop.payments, data jsonb) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	total bigint := (data->>'refunded')::bigint;
	known bigint;
	back bigint;
BEGIN
	IF p.paid_at IS NULL OR total IS NULL THEN
		RETURN 'ignored';
	ELSIF total <= p.refunded_minor THEN
		RETURN 'duplicate';
	ELSIF total > p.paid_minor THEN
		PERFORM souk.alert('payment', 'critical', format('order %s: more was refunded than paid (%s)', o.number, p.reference),
			jsonb_build_object('order', o.number, 'paid', p.paid_minor, 'refunded', total));
		total := p.paid_minor;
		IF total = p.refunded_minor THEN
			RETURN 'duplicate';
		END IF;
	END IF;
	back := total - p.refunded_minor;
	SELECT coalesce(sum(r.amount_minor), 0) INTO known FROM shop.refunds r WHERE r.payment_id = p.id AND r.state <> 'failed';
	IF total > known THEN
		INSERT INTO shop.refunds (order_id, payment_id, amount_minor, currency, reason, dedupe, state, sent_at, settled_at)
		VALUES (o.id, p.id, total - known, p.currency, 'made at the payment provider', format('outside:%s:%s', p.id, total), 'succeeded', now(), now());
	END IF;
	UPDATE shop.payments x SET refunded_minor = total, updated_at = now(),
		state = CASE WHEN total = x.paid_minor THEN 'refunded' WHEN x.state = 'disputed' THEN x.state ELSE 'paid' END WHERE x.id = p.id;
	-- Which of several has gone is told by the answer to each; only when all have can the sum tell. One that was never sent is not among them.
	UPDATE shop.refunds r SET state = 'succeeded', settled_at = now() WHERE r.payment_id = p.id AND r.state = 'sent' AND total >= known;
	PERFORM shop.order_refunded(o, p, back, total);
	RETURN 'refunded';
END
$$;

-- Money went back: the order says so, the buyer is told, and an order that was not sent yet and is refunded whole is cancelled.
CREATE OR REPLACE FUNCTION shop.order_refunded(o shop.orders, p shop.payments, back bigint, total bigint) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	paid bigint;
	returned bigint;
	lang text := coalesce((SELECT c.locale FROM shop.customers c WHERE c.id = o.customer_id), o.locale, 'fr');
BEGIN
	SELECT sum(x.paid_minor), sum(x.refunded_minor) INTO paid, returned FROM shop.payments x WHERE x.order_id = o.id;
	UPDATE shop.orders x SET payment_status = CASE WHEN returned >= paid THEN 'refunded' ELSE 'part_refunded' END, updated_at = now()
	 WHERE x.id = o.id;
	PERFORM shop.order_note(o.id, 'refund', NULL, NULL, 'refunded', jsonb_build_object('amount', souk.money(back, p.currency), 'currency', p.currency,
		'reference', p.reference));
	PERFORM souk.notify('refund_sent', o.customer_id, CASE WHEN o.customer_id IS NULL THEN o.email END, lang,
		jsonb_build_object('orderId', o.id::text, 'amount', souk.money_text(back, p.currency, lang)),
		format('refund_sent:%s:%s', p.id, total))
	  WHERE o.customer_id IS NOT NULL OR o.email IS NOT NULL;
	PERFORM souk.emit('order.refunded', o.number, jsonb_build_object('orderNumber', o.number, 'amount', souk.money(back, p.currency),
		'currency', p.currency, 'total', souk.money(returned, p.currency)));
	IF returned >= paid AND o.status IN ('PAID', 'PROCESSING') THEN
		PERFORM shop.order_move(o.id, 'CANCELLED', 'refunded', NULL);
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION shop.payment_disputed(o shop.orders, p shop.payments, outcome text, data jsonb) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	gone bigint := p.refunded_minor;
BEGIN
	IF outcome = 'disputed' THEN
		IF p.state <> 'paid' OR p.note = 'dispute_won' OR p.note = 'dispute_lost' THEN
			RETURN CASE WHEN p.state = 'disputed' THEN 'duplicate' ELSE 'ignored' END;
		END IF;
		UPDATE shop.payments x SET state = 'disputed', updated_at = now() WHERE x.id = p.id;
		UPDATE shop.orders x SET payment_status = 'disputed', updated_at = now() WHERE x.id = o.id;
		PERFORM shop.order_note(o.id, 'note', NULL, NULL, 'payment disputed', jsonb_build_object('reference', p.reference, 'reason', data->'note'));
		PERFORM souk.alert('payment', 'critical', format('order %s: the payment is disputed (%s)', o.number, p.reference),
			jsonb_build_object('order', o.number, 'reason', data->'note'));
		RETURN 'disputed';
	ELSIF p.note IS NOT DISTINCT FROM outcome OR p.paid_at IS NULL THEN
		RETURN CASE WHEN p.note = outcome THEN 'duplicate' ELSE 'ignored' END;
	END IF;
	-- The end of a dispute may be told before its beginning, which is then no news.
	-- A buyer may dispute a part of what was paid.
	IF outcome = 'dispute_lost' THEN
		gone := least(p.paid_minor, p.refunded_minor + CASE WHEN upper(data->>'currency') = p.currency THEN coalesce((data->>'amount')::bigint, p.paid_minor)
			ELSE p.paid_minor END);
		-- Written down as a refund, so that what is left to refund is less by it, and later refunds count on top of it.
		INSERT INTO shop.refunds (order_id, payment_id, amount_minor, currency, reason, dedupe, state, sent_at, settled_at)
		SELECT o.id, p.id, gone - p.refunded_minor, p.currency, 'lost in a dispute', 'dispute:' || p.id, 'succeeded', now(), now()
		 WHERE gone > p.refunded_minor;
	END IF;
	UPDATE shop.payments x SET state = CASE WHEN gone = x.paid_minor THEN 'refunded' WHEN x.state = 'disputed' THEN 'paid' ELSE x.state END,
		refunded_minor = gone, note = outcome, updated_at = now()
	 WHERE x.id = p.id RETURNING * INTO p;
	UPDATE shop.orders x SET payment_status = CASE WHEN p.refunded_minor = p.paid_minor THEN 'refunded' WHEN p.refunded_minor > 0 THEN 'part_refunded'
		ELSE 'paid' END, updated_at = now() WHERE x.id = o.id;
	PERFORM shop.order_note(o.id, 'note', NULL, NULL, replace(outcome, '_', ' '), jsonb_build_object('reference', p.reference));
	RETURN outcome;
END
$$;

-- Ask for money to go back: amount_minor NULL means all that is left. Whoever may see the order may ask; tools decide whether somebody should.
-- -> id in shop.refunds; the same dedupe gives the same one; NULL when all is left and that is nothing. SK409 when more is asked for than
-- was paid and has not gone back. A provider's refund is sent by `souk deliver`; others are state manual until somebody has sent the money.
CREATE OR REPLACE FUNCTION shop.refund_request(order_id bigint, amount_minor bigint, reason text, dedupe text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	mine boolean := souk.sees_all();
	me bigint := souk.me();
	my_order text := coalesce(current_setting('souk.order_id', true), '');
	o shop.orders;
	pay record;
	rest bigint := $2;
	made bigint;
	part bigint;
	part_id bigint;
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	SELECT * INTO o FROM shop.orders x WHERE x.id = $1 FOR UPDATE;
	IF o.id IS NULL OR NOT coalesce(mine OR o.customer_id = me OR (o.id::text = my_order AND speaker IN ('guest', 'customer')), false) THEN
		PERFORM souk.fail('SK404', 'there is no such order');
	END IF;
	SELECT r.id INTO made FROM shop.refunds r WHERE r.order_id = o.id AND r.dedupe = $4;
	IF made IS NULL THEN
		FOR pay IN
			SELECT p.id, p.paid_minor - greatest(p.refunded_minor, (SELECT coalesce(sum(r.amount_minor), 0) FROM shop.refunds r
				WHERE r.payment_id = p.id AND r.state <> 'failed')) AS remaining
			  FROM shop.payments p WHERE p.order_id = o.id AND p.paid_at IS NOT NULL ORDER BY p.id FOR UPDATE
		LOOP
			part := least(pay.remaining, coalesce(rest, pay.remaining));
			CONTINUE WHEN part <= 0;
			part_id := shop.refund_make(pay.id, part, $3, $4 || CASE WHEN made IS NULL THEN '' ELSE ':' || pay.id END);
			made := coalesce(made, part_id);
			rest := rest - part;
		END LOOP;
		IF rest > 0 THEN
			PERFORM souk.fail('SK409', format('only %s %s of order %s can be refunded', souk.money($2 - rest, o.currency), o.currency, o.number));
		END IF;
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN made;
END
$$;

CREATE OR REPLACE FUNCTION shop.refund_make(payment bigint, amount bigint, why text, once text) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	p shop.payments;
	by_provider boolean;
	made bigint;
BEGIN
	SELECT * INTO p FROM shop.payments x WHERE x.id = payment;
	-- A part that Stripe's integers cannot say, such as 1.233 KWD, is not rounded: somebody sends it.
	by_provider := p.provider = 'stripe' AND shop.stripe_amount(amount, p.currency) IS NOT NULL;
	INSERT INTO shop.refunds (order_id, payment_id, amount_minor, currency, reason, dedupe, state)
	VALUES (p.order_id, p.id, amount, p.currency, left(coalesce(why, ''), 200), once, CASE WHEN by_provider THEN 'requested' ELSE 'manual' END)
	ON CONFLICT (order_id, dedupe) DO NOTHING RETURNING id INTO made;
	IF made IS NULL THEN
		RETURN (SELECT r.id FROM shop.refunds r WHERE r.order_id = p.order_id AND r.dedupe = once);
	ELSIF by_provider THEN
		PERFORM souk.outbox_add('stripe', NULL, NULL, NULL, NULL, jsonb_build_object('refund', made), 'stripe:refund:' || made, NULL);
	ELSE
		PERFORM souk.alert('refund', 'warning', format('refund %s has to be sent by hand (%s %s, %s)', made, souk.money(amount, p.currency), p.currency,
			p.reference), jsonb_build_object('refund', made));
	END IF;
	RETURN made;
END
$$;
