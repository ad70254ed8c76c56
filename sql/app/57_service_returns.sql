-- Returns: what may come back, what is paid for it, and the way of a return.
--
-- Money is exact. A discount is spread over the lines in proportion to their totals, by differences of rounded running sums, so that the parts
-- add up to it to the last minor unit. Of a line, k of q units with r returned before are worth floor(net (r + k) / q) less what its earlier
-- returns got: whoever returns unit by unit gets what they would have got at once, to the minor unit.

-- The lines of an order: how many may still come back, under which rule, and why not. Returns that were refused or cancelled do not count.
CREATE OR REPLACE FUNCTION shop.return_lines(o shop.orders, wanted_ground text)
RETURNS TABLE (item_id bigint, product_id bigint, variant_id bigint, sku text, name text, options jsonb, ordered integer, returned integer,
	net_minor bigint, refunded_minor bigint, rule shop.return_rules, deadline date, obstacle text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	place text := coalesce(nullif(upper(o.shipping_address->>'country'), ''), shop.home_country());
	arrived date := (coalesce(o.delivered_at, (SELECT max(s.delivered_at) FROM shop.shipments s WHERE s.order_id = o.id), o.updated_at) AT TIME ZONE 'UTC')::date;
	ordered_on date := (o.created_at AT TIME ZONE 'UTC')::date;
	today date := (now() AT TIME ZONE 'UTC')::date;
	x record;
BEGIN
	FOR x IN
		WITH line AS (
			SELECT i.*, sum(i.total_minor) OVER (ORDER BY i.position, i.id) AS upto, sum(i.total_minor) OVER () AS whole
			  FROM shop.order_items i WHERE i.order_id = o.id AND i.quantity > 0
		)
		SELECT l.*, p.category_id, p.attributes->>'returnException' AS mark, coalesce(b.units, 0)::integer AS units, coalesce(b.minor, 0)::bigint AS minor,
			(l.total_minor - CASE WHEN l.whole > 0 THEN div(d.spread * l.upto, l.whole) - div(d.spread * (l.upto - l.total_minor), l.whole) ELSE 0 END)::bigint AS net
		  FROM line l
		  CROSS JOIN LATERAL (SELECT least(o.discount_minor, l.whole)::numeric AS spread) d
		  LEFT JOIN shop.products p ON p.id = l.product_id
		  LEFT JOIN LATERAL (SELECT sum(ri.quantity) AS units, sum(ri.refund_minor) AS minor
			  FROM shop.return_items ri JOIN shop.returns r ON r.id = ri.return_id
			 WHERE ri.order_item_id = l.id AND r.status NOT IN ('REFUSED', 'CANCELLED')) b ON true
		 ORDER BY l.position, l.id
	LOOP
		item_id := x.id;
		product_id := x.product_id;
		variant_id := x.variant_id;
		sku := x.sku;
		name := x.name;
		options := x.options;
		ordered := x.quantity;
		returned := x.units;
		net_minor := x.net;
		refunded_minor := x.minor;
		rule := shop.return_rule(wanted_ground, place, x.category_id, x.mark, ordered_on);
		deadline := arrived + rule.days;
		-- A period that ends on a Saturday or Sunday ends on the Monday after it (Regulation 1182/71, article 3).
		deadline := deadline + CASE extract(isodow FROM deadline) WHEN 6 THEN 2 WHEN 7 THEN 1 ELSE 0 END;
		obstacle := CASE
			WHEN o.status = 'CANCELLED' THEN 'order_cancelled'
			WHEN o.status <> 'DELIVERED' THEN 'not_delivered'
			WHEN returned >= ordered THEN 'already_returned'
			WHEN rule.policy_id IS NULL THEN 'no_policy'
			WHEN NOT rule.allowed THEN rule.exception
			WHEN today > deadline THEN 'too_late' END;
		RETURN NEXT;
	END LOOP;
END
$$;

-- What an obstacle means, for people.
CREATE OR REPLACE FUNCTION shop.return_obstacle(code text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
SELECT CASE code
	WHEN 'order_cancelled' THEN 'the order was cancelled'
	WHEN 'not_delivered' THEN 'the order is not delivered yet'
	WHEN 'already_returned' THEN 'all units were returned already'
	WHEN 'no_policy' THEN 'no return policy covers it'
	WHEN 'too_late' THEN 'the return period is over'
	WHEN 'sealed_hygiene' THEN 'sealed goods that are not suitable for return for reasons of hygiene once unsealed'
	WHEN 'made_to_measure' THEN 'goods made to the buyer''s specifications'
	WHEN 'perishable' THEN 'goods that deteriorate or expire rapidly'
	WHEN 'digital' THEN 'digital content whose delivery has begun'
	ELSE 'it is excluded from return: ' || replace(code, '_', ' ') END
$$;

-- The money of a return of these lines: parallel arrays of order lines and quantities.
CREATE OR REPLACE FUNCTION shop.return_quote(o shop.orders, wanted_ground text, ids bigint[], quantities integer[], OUT minors bigint[], OUT items_minor bigint,
	OUT shipping_minor bigint, OUT return_cost_minor bigint, OUT refund_minor bigint, OUT cost_paid_by text, OUT label boolean, OUT automatic boolean,
	OUT policy_id bigint, OUT refund_days integer, OUT complete boolean)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	always boolean;
	never boolean;
	given bigint := coalesce((SELECT sum(r.shipping_minor) FROM shop.returns r WHERE r.order_id = o.id AND r.status NOT IN ('REFUSED', 'CANCELLED')), 0);
	-- promised for other returns, or sent back apart from them
	back bigint := coalesce((SELECT sum(r.refund_minor) FROM shop.returns r WHERE r.order_id = o.id AND r.status NOT IN ('REFUSED', 'CANCELLED')), 0)
		+ coalesce((SELECT sum(f.amount_minor) FROM shop.refunds f WHERE f.order_id = o.id AND f.state <> 'failed' AND f.dedupe NOT LIKE 'return:%'), 0);
BEGIN
	SELECT array_agg(greatest(div(l.net_minor::numeric * (l.returned + q.n), l.ordered)::bigint - l.refunded_minor, 0) ORDER BY q.place)
			FILTER (WHERE q.n IS NOT NULL),
		coalesce(bool_or((l.rule).cost_paid_by = 'customer') FILTER (WHERE q.n IS NOT NULL), false),
		coalesce(bool_and((l.rule).label) FILTER (WHERE q.n IS NOT NULL), false),
		coalesce(bool_and((l.rule).automatic) FILTER (WHERE q.n IS NOT NULL), false),
		(array_agg((l.rule).policy_id ORDER BY q.place) FILTER (WHERE q.n IS NOT NULL))[1],
		min((l.rule).refund_days) FILTER (WHERE q.n IS NOT NULL),
		bool_and(l.returned + coalesce(q.n, 0) >= l.ordered),
		coalesce(bool_and((l.rule).refund_shipping = 'always') FILTER (WHERE q.n IS NOT NULL), false),
		coalesce(bool_or((l.rule).refund_shipping = 'never') FILTER (WHERE q.n IS NOT NULL), false),
		coalesce(max((l.rule).label_cost_minor) FILTER (WHERE q.n IS NOT NULL AND (l.rule).label AND (l.rule).cost_paid_by = 'customer'
			AND (l.rule).currency = o.currency), 0),
		CASE WHEN bool_or((l.rule).cost_paid_by = 'customer') FILTER (WHERE q.n IS NOT NULL) THEN 'customer' ELSE 'shop' END
	  INTO minors, label, label, automatic, policy_id, refund_days, complete, always, never, return_cost_minor, cost_paid_by
	  FROM shop.return_lines(o, wanted_ground) l
	  LEFT JOIN unnest(ids, quantities) WITH ORDINALITY AS q(id, n, place) ON q.id = l.item_id;
	items_minor := coalesce((SELECT sum(m) FROM unnest(minors) m), 0);
	-- The costs of delivery come back once, with the whole order or where the rule says always.
	shipping_minor := CASE WHEN (always OR (complete AND NOT never)) AND given = 0 THEN o.shipping_minor ELSE 0 END;
	IF NOT label THEN
		return_cost_minor := 0;
	END IF;
	return_cost_minor := least(return_cost_minor, items_minor + shipping_minor);
	-- Never more than was paid and has not gone back, whatever an imported order's lines say.
	IF back + items_minor + shipping_minor - return_cost_minor > o.total_minor THEN
		items_minor := greatest(least(items_minor, o.total_minor - back), 0);
		shipping_minor := greatest(least(shipping_minor, o.total_minor - back - items_minor), 0);
		return_cost_minor := least(return_cost_minor, items_minor + shipping_minor);
	END IF;
	refund_minor := items_minor + shipping_minor - return_cost_minor;
END
$$;

-- What check_refund_eligibility answers. args: orderId, reason (a code of shop.return_reasons, or any text).
CREATE OR REPLACE FUNCTION shop.return_eligibility(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	o shop.orders := shop.order_for_speaker(args->>'orderId');
	why text := coalesce((SELECT r.code FROM shop.return_reasons r WHERE r.code = replace(lower(trim(args->>'reason')), ' ', '_')),
		CASE WHEN args->>'reason' IS NOT NULL THEN 'other' ELSE 'changed_mind' END);
	kind text := (SELECT r.ground FROM shop.return_reasons r WHERE r.code = why);
	ids bigint[];
	counts integer[];
	q record;
	result json;
BEGIN
	SELECT array_agg(l.item_id), array_agg(l.ordered - l.returned) INTO ids, counts FROM shop.return_lines(o, kind) l WHERE l.obstacle IS NULL;
	SELECT * INTO q FROM shop.return_quote(o, kind, coalesce(ids, '{}'), coalesce(counts, '{}'));
	SELECT json_strip_nulls(json_build_object(
		'orderId', o.id::text,
		'orderNumber', o.number,
		'status', o.status,
		'eligible', ids IS NOT NULL,
		'reason', why,
		'ground', kind,
		'code', CASE WHEN ids IS NULL THEN min(l.obstacle) END,
		'message', CASE WHEN ids IS NULL THEN shop.return_obstacle(min(l.obstacle)) ELSE 'can be returned until ' || max(l.deadline) FILTER (WHERE l.obstacle IS NULL) END,
		'deadline', max(l.deadline) FILTER (WHERE l.obstacle IS NULL),
		'daysLeft', max(l.deadline) FILTER (WHERE l.obstacle IS NULL) - (now() AT TIME ZONE 'UTC')::date,
		'currency', o.currency,
		'refund', CASE WHEN ids IS NOT NULL THEN json_build_object(
			'items', souk.money(q.items_minor, o.currency),
			'shipping', souk.money(q.shipping_minor, o.currency),
			'returnCost', souk.money(q.return_cost_minor, o.currency),
			'total', souk.money(q.refund_minor, o.currency)) END,
		'returnCostPaidBy', CASE WHEN ids IS NOT NULL THEN q.cost_paid_by END,
		'refundDays', q.refund_days,
		'items', coalesce(json_agg(json_build_object(
			'orderItemId', l.item_id::text,
			'productId', l.product_id::text,
			'sku', l.sku,
			'name', l.name,
			'ordered', l.ordered,
			'returned', l.returned,
			'returnable', CASE WHEN l.obstacle IS NULL THEN l.ordered - l.returned ELSE 0 END,
			'eligible', l.obstacle IS NULL,
			'code', l.obstacle,
			'deadline', CASE WHEN (l.rule).allowed THEN l.deadline END,
			'condition', (l.rule).condition)), '[]'))) INTO result
	  FROM shop.return_lines(o, kind) l;
	RETURN result;
END
$$;

-- ---- the way of a return

-- Where returned goods go: the setting shop.return_address, {"name", "line1", "postcode", "city", "country"}.
CREATE OR REPLACE FUNCTION shop.return_json(r shop.returns) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	o shop.orders;
	said shop.policy_texts;
BEGIN
	SELECT x.* INTO o FROM shop.orders x WHERE x.id = r.order_id;
	said := shop.policy_text(r.policy_id, souk.locale(NULL));
	RETURN json_strip_nulls(json_build_object(
		'returnId', r.id::text,
		'returnNumber', r.number,
		'orderId', r.order_id::text,
		'orderNumber', o.number,
		'status', r.status,
		'reason', r.reason,
		'ground', r.ground,
		'comment', r.comment,
		'currency', r.currency,
		'refund', json_build_object(
			'items', souk.money(r.items_minor, r.currency),
			'shipping', souk.money(r.shipping_minor, r.currency),
			'returnCost', souk.money(r.return_cost_minor, r.currency),
			'deduction', souk.money(r.deduction_minor, r.currency),
			'total', souk.money(r.refund_minor, r.currency)),
		'returnCostPaidBy', r.cost_paid_by,
		'items', (SELECT coalesce(json_agg(json_build_object('orderItemId', i.id::text, 'productId', i.product_id::text, 'sku', i.sku, 'name', i.name,
				'quantity', ri.quantity, 'refund', souk.money(ri.refund_minor, r.currency), 'restocked', ri.restocked) ORDER BY i.position, i.id), '[]')
			  FROM shop.return_items ri JOIN shop.order_items i ON i.id = ri.order_item_id WHERE ri.return_id = r.id),
		'label', CASE WHEN r.label AND r.status = 'APPROVED' THEN json_build_object('reference', r.number, 'to',
			(SELECT s.value FROM souk.settings s WHERE s.key = 'shop.return_address')) END,
		'instructions', CASE WHEN r.status IN ('REQUESTED', 'APPROVED') THEN said.instructions END,
		'note', r.decision_note,
		'refundBy', r.refund_by,
		'createdAt', souk.rfc3339(r.created_at),
		'decidedAt', souk.rfc3339(r.decided_at),
		'receivedAt', souk.rfc3339(r.received_at),
		'refundedAt', souk.rfc3339(r.refunded_at),
		'history', (SELECT coalesce(json_agg(json_build_object('status', e.to_status, 'at', souk.rfc3339(e.created_at), 'note', e.note) ORDER BY e.id), '[]')
			  FROM shop.return_events e WHERE e.return_id = r.id)));
END
$$;

CREATE OR REPLACE FUNCTION shop.return_note(which bigint, was text, becomes text, why text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO shop.return_events (return_id, from_status, to_status, actor, note) VALUES (which, was, becomes, souk.actor(), why);
END
$$;

CREATE OR REPLACE FUNCTION shop.return_tell(r shop.returns, template text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	o shop.orders;
	spoken text;
BEGIN
	SELECT x.* INTO o FROM shop.orders x WHERE x.id = r.order_id;
	spoken := coalesce((SELECT c.locale FROM shop.customers c WHERE c.id = r.customer_id), souk.locale(NULL));
	PERFORM souk.notify(template, r.customer_id, CASE WHEN r.customer_id IS NULL THEN o.email END, spoken,
		jsonb_strip_nulls(jsonb_build_object('returnNumber', r.number, 'orderNumber', o.number, 'status', r.status,
			'accepted', CASE WHEN r.status IN ('APPROVED', 'RECEIVED', 'REFUNDED') THEN true END, 'reason', r.decision_note,
			'refund', CASE WHEN r.status <> 'REFUSED' AND r.refund_minor > 0 THEN souk.money_text(r.refund_minor, r.currency, spoken) END,
			'amount', CASE WHEN r.status = 'REFUNDED' THEN souk.money_text(r.refund_minor, r.currency, spoken) END,
			'instructions', (shop.policy_text(r.policy_id, spoken)).instructions)), template || ':' || r.number || ':' || r.status);
END
$$;

-- The lines that a caller names by orderItemId, productId or sku, with quantities; without any: all that may come back. Refuses what may not, naming it.
CREATE OR REPLACE FUNCTION shop.return_pick(o shop.orders, wanted_ground text, wanted jsonb, OUT ids bigint[], OUT quantities integer[])
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	w record;
	l record;
	n integer;
BEGIN
	ids := '{}';
	quantities := '{}';
	FOR w IN SELECT e.item, e.place - 1 AS at FROM jsonb_array_elements(wanted) WITH ORDINALITY AS e(item, place) LOOP
		IF num_nonnulls(w.item->>'orderItemId', w.item->>'productId', w.item->>'sku') = 0 THEN
			PERFORM souk.fail('SK400', format('items[%s]: orderItemId, productId or sku is needed', w.at));
		END IF;
		SELECT x.* INTO l FROM shop.return_lines(o, wanted_ground) x
		 WHERE (w.item->>'orderItemId' IS NULL OR x.item_id::text = w.item->>'orderItemId') AND (w.item->>'productId' IS NULL OR x.product_id::text = w.item->>'productId')
		   AND (w.item->>'sku' IS NULL OR x.sku = w.item->>'sku')
		 ORDER BY x.ordered > x.returned DESC, x.item_id LIMIT 1;
		IF l.item_id IS NULL THEN
			PERFORM souk.fail('SK404', format('items[%s]: the order has no such line', w.at));
		ELSIF l.item_id = ANY (ids) THEN
			PERFORM souk.fail('SK400', format('items[%s]: the line %s was named before', w.at, l.sku));
		ELSIF l.obstacle IS NOT NULL THEN
			PERFORM souk.fail('SK409', format('items[%s]: %s cannot be returned: %s', w.at, l.sku, shop.return_obstacle(l.obstacle)));
		END IF;
		n := coalesce((w.item->>'quantity')::integer, l.ordered - l.returned);
		IF n > l.ordered - l.returned THEN
			PERFORM souk.fail('SK409', format('items[%s].quantity: only %s of %s can still be returned', w.at, l.ordered - l.returned, l.sku));
		END IF;
		ids := ids || l.item_id;
		quantities := quantities || n;
	END LOOP;
	IF wanted IS NULL THEN
		SELECT array_agg(x.item_id), array_agg(x.ordered - x.returned) INTO ids, quantities
		  FROM shop.return_lines(o, wanted_ground) x WHERE x.obstacle IS NULL;
		IF ids IS NULL THEN
			PERFORM souk.fail('SK409', 'nothing of the order can be returned: '
				|| coalesce((SELECT shop.return_obstacle(min(x.obstacle)) FROM shop.return_lines(o, wanted_ground) x), 'it has no lines'));
		END IF;
	END IF;
END
$$;

-- args: orderId, items [{orderItemId | productId | sku, quantity}], reason, comment. One return of an order is made at a time, so that two callers
-- cannot both return the last unit.
CREATE OR REPLACE FUNCTION shop.return_open(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders := shop.order_for_speaker(args->>'orderId');
	kind text := (SELECT x.ground FROM shop.return_reasons x WHERE x.code = args->>'reason');
	picked record;
	q record;
	r shop.returns;
BEGIN
	IF kind IS NULL THEN
		PERFORM souk.fail('SK400', 'reason: one of ' || (SELECT string_agg(x.code, ', ' ORDER BY x.position) FROM shop.return_reasons x) || ' is expected');
	END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('shop.returns ' || o.id, 0));
	SELECT * INTO picked FROM shop.return_pick(o, kind, args->'items');
	SELECT * INTO q FROM shop.return_quote(o, kind, picked.ids, picked.quantities);
	INSERT INTO shop.returns (order_id, customer_id, policy_id, items_minor, shipping_minor, return_cost_minor, refund_minor, number, status, currency,
		reason, ground, cost_paid_by, label, comment, decided_at, decided_by)
	VALUES (o.id, o.customer_id, q.policy_id, q.items_minor, q.shipping_minor, q.return_cost_minor, q.refund_minor, shop.service_number('RET'),
		CASE WHEN q.automatic THEN 'APPROVED' ELSE 'REQUESTED' END, o.currency, args->>'reason', kind, q.cost_paid_by, q.label, args->>'comment',
		CASE WHEN q.automatic THEN now() END, CASE WHEN q.automatic THEN 'policy' END)
	RETURNING * INTO r;
	INSERT INTO shop.return_items (return_id, order_item_id, quantity, refund_minor)
	SELECT r.id, x.id, x.n, x.minor FROM unnest(picked.ids, picked.quantities, q.minors) AS x(id, n, minor);
	PERFORM shop.return_note(r.id, NULL, 'REQUESTED', args->>'comment');
	IF q.automatic THEN
		PERFORM shop.return_note(r.id, 'REQUESTED', 'APPROVED', 'granted by the policy');
	END IF;
	PERFORM shop.return_tell(r, 'return_opened');
	PERFORM souk.emit('return.opened', r.number, jsonb_build_object('returnId', r.id::text, 'returnNumber', r.number, 'orderId', o.id::text,
		'orderNumber', o.number, 'status', r.status, 'reason', r.reason, 'refund', souk.money(r.refund_minor, r.currency), 'currency', r.currency));
	RETURN shop.return_json(r);
END
$$;

-- The last line of defence, whoever writes: never more units than the line has.
CREATE OR REPLACE FUNCTION shop.return_items_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('shop.returns ' || i.order_id, 0)) FROM shop.order_items i WHERE i.id = NEW.order_item_id;
	IF (SELECT sum(x.quantity) FROM shop.return_items x JOIN shop.returns r ON r.id = x.return_id
		 WHERE x.order_item_id = NEW.order_item_id AND r.status NOT IN ('REFUSED', 'CANCELLED'))
		> (SELECT i.quantity FROM shop.order_items i WHERE i.id = NEW.order_item_id)
	THEN
		PERFORM souk.fail('SK409', 'more units than were delivered');
	END IF;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS return_items_check ON shop.return_items;
CREATE TRIGGER return_items_check AFTER INSERT OR UPDATE OF quantity ON shop.return_items FOR EACH ROW EXECUTE FUNCTION shop.return_items_check();

CREATE OR REPLACE FUNCTION shop.return_for_speaker(wanted text) RETURNS shop.returns
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	r shop.returns;
BEGIN
	SELECT x.* INTO r FROM shop.returns x
	 WHERE (x.number = upper(trim(wanted)) OR x.id = CASE WHEN wanted ~ '^[0-9]{1,18}$' THEN wanted::bigint END)
	   AND coalesce(souk.sees_all() OR x.customer_id = souk.me() OR x.order_id = souk.my_order(), false)
	 ORDER BY x.id LIMIT 1;
	IF r.id IS NULL THEN
		PERFORM souk.fail('SK404', 'returnId: there is no such return');
	END IF;
	RETURN r;
END
$$;

-- Put the goods back on the shelf, as far as their product still exists.
CREATE OR REPLACE FUNCTION shop.return_restock(r shop.returns) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	line record;
BEGIN
	FOR line IN
		SELECT i.id, i.product_id, i.variant_id, x.quantity FROM shop.return_items x JOIN shop.order_items i ON i.id = x.order_item_id
		  JOIN shop.products p ON p.id = i.product_id
		 WHERE x.return_id = r.id AND x.restocked = 0 AND (i.variant_id IS NOT NULL OR p.variant_count = 0)
		 ORDER BY i.product_id, i.variant_id, i.id
	LOOP
		PERFORM shop.stock_add(line.product_id, line.variant_id, line.quantity, 'return ' || r.number, r.order_id);
		UPDATE shop.return_items x SET restocked = x.quantity WHERE x.return_id = r.id AND x.order_item_id = line.id;
	END LOOP;
END
$$;

-- Goods that go back to the buyer leave the shelf again; SK409 when they were sold meanwhile.
CREATE OR REPLACE FUNCTION shop.return_unstock(r shop.returns) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	line record;
BEGIN
	FOR line IN
		SELECT i.id, i.product_id, i.variant_id, x.restocked FROM shop.return_items x JOIN shop.order_items i ON i.id = x.order_item_id
		 WHERE x.return_id = r.id AND x.restocked > 0 ORDER BY i.product_id, i.variant_id, i.id
	LOOP
		PERFORM shop.stock_add(line.product_id, line.variant_id, -line.restocked, 'return ' || r.number || ' refused', r.order_id);
		UPDATE shop.return_items x SET restocked = 0 WHERE x.return_id = r.id AND x.order_item_id = line.id;
	END LOOP;
END
$$;

-- Which decision leads from where to where.
CREATE OR REPLACE FUNCTION shop.return_next(status text, action text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
SELECT CASE
	WHEN action = 'approve' AND status = 'REQUESTED' THEN 'APPROVED'
	WHEN action = 'refuse' AND status IN ('REQUESTED', 'APPROVED', 'RECEIVED') THEN 'REFUSED'
	WHEN action = 'cancel' AND status IN ('REQUESTED', 'APPROVED') THEN 'CANCELLED'
	WHEN action = 'receive' AND status = 'APPROVED' THEN 'RECEIVED'
	WHEN action = 'refund' AND status = 'RECEIVED' THEN 'REFUNDED' END
$$;

-- Ask for the money to be sent back; the customer is told when it is. An order that was not paid through souk is refunded by hand: NULL, and the
-- owner is alerted.
CREATE OR REPLACE FUNCTION shop.return_refund(r shop.returns) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
	IF r.refund_minor = 0 THEN
		RETURN NULL;
	ELSIF EXISTS (SELECT FROM shop.payments p WHERE p.order_id = r.order_id AND p.paid_at IS NOT NULL) THEN
		RETURN shop.refund_request(r.order_id, r.refund_minor, 'return ' || r.number, 'return:' || r.number);
	END IF;
	PERFORM souk.alert('refund', 'warning', format('return %s has to be refunded by hand (%s %s)', r.number, souk.money(r.refund_minor, r.currency), r.currency),
		jsonb_build_object('returnNumber', r.number));
	RETURN NULL;
END
$$;

-- What is decided. args: returnId, action (approve, refuse, receive, refund, cancel), note, deduction, restock. Whose return it is may cancel it, all
-- else is for staff. Of two who decide at once one wins.
CREATE OR REPLACE FUNCTION shop.return_decide(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r shop.returns;
	was text;
	becomes text;
	less bigint;
BEGIN
	IF NOT souk.sees_all() AND coalesce(args->>'action' <> 'cancel', true) THEN
		PERFORM souk.fail('SK403', 'this is for staff');
	END IF;
	r := shop.return_for_speaker(args->>'returnId');
	PERFORM pg_advisory_xact_lock(hashtextextended('shop.returns ' || r.order_id, 0));
	SELECT x.* INTO r FROM shop.returns x WHERE x.id = r.id FOR UPDATE;
	was := r.status;
	becomes := shop.return_next(was, args->>'action');
	IF becomes IS NULL THEN
		PERFORM souk.fail('SK409', format('the return %s is %s: it cannot be changed by %s', r.number, was, args->>'action'));
	END IF;
	less := souk.minor(coalesce((args->>'deduction')::numeric, 0), r.currency);
	IF less > 0 AND becomes NOT IN ('RECEIVED', 'REFUNDED') THEN
		PERFORM souk.fail('SK400', 'deduction: is for what was received');
	ELSIF r.deduction_minor + less > r.items_minor THEN
		PERFORM souk.fail('SK400', 'deduction: is more than the items are worth');
	END IF;
	UPDATE shop.returns x SET status = becomes, updated_at = now(), decision_note = coalesce(args->>'note', x.decision_note),
		decided_at = CASE WHEN becomes IN ('APPROVED', 'REFUSED', 'CANCELLED') THEN now() ELSE x.decided_at END,
		decided_by = CASE WHEN becomes IN ('APPROVED', 'REFUSED', 'CANCELLED') THEN souk.actor() ELSE x.decided_by END,
		received_at = CASE WHEN becomes = 'RECEIVED' THEN now() ELSE x.received_at END,
		refund_by = CASE WHEN becomes = 'RECEIVED' THEN (now() AT TIME ZONE 'UTC')::date + coalesce((SELECT min(y.refund_days)
			FROM shop.return_rules y WHERE y.policy_id = x.policy_id AND y.ground = x.ground), 14) ELSE x.refund_by END,
		deduction_minor = x.deduction_minor + less,
		refund_minor = greatest(x.items_minor + x.shipping_minor - x.return_cost_minor - x.deduction_minor - less, 0)
	 WHERE x.id = r.id RETURNING x.* INTO r;
	PERFORM shop.return_note(r.id, was, becomes, args->>'note');
	IF becomes = 'RECEIVED' AND coalesce((args->>'restock')::boolean, r.ground = 'withdrawal') THEN
		PERFORM shop.return_restock(r);
	ELSIF becomes = 'REFUSED' THEN
		PERFORM shop.return_unstock(r);
	ELSIF becomes = 'REFUNDED' THEN
		UPDATE shop.returns x SET refund_id = shop.return_refund(r), refunded_at = now() WHERE x.id = r.id RETURNING x.* INTO r;
	END IF;
	PERFORM souk.audit_note('return.' || (args->>'action'), r.number, jsonb_build_object('from', was, 'to', becomes, 'refund', souk.money(r.refund_minor, r.currency)));
	-- Whoever was told that the return is accepted hears again when the money goes; what the policy granted is confirmed when the goods are here.
	IF becomes IN ('APPROVED', 'REFUSED') OR (becomes = 'RECEIVED' AND r.decided_by = 'policy') THEN
		PERFORM shop.return_tell(r, 'return_decided');
	ELSIF becomes = 'REFUNDED' AND r.refund_id IS NULL AND r.refund_minor > 0 THEN
		PERFORM shop.return_tell(r, 'refund_sent');
	END IF;
	RETURN shop.return_json(r);
END
$$;

-- Returns that the speaker may see, the latest first. args: returnId, orderId, status, limit, cursor.
CREATE OR REPLACE FUNCTION shop.return_list(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	start integer := souk.cursor_offset(args->>'cursor');
	page_size integer := coalesce((args->>'limit')::integer, 20);
	one bigint := CASE WHEN args->>'returnId' IS NOT NULL THEN (shop.return_for_speaker(args->>'returnId')).id END;
	me bigint := souk.me();
	proven bigint := souk.my_order();
	mine bigint[];
	of_order bigint := CASE WHEN args->>'orderId' IS NOT NULL THEN (shop.order_for_speaker(args->>'orderId')).id END;
	result json;
BEGIN
	IF one IS NOT NULL THEN
		mine := ARRAY[one];
	ELSIF of_order IS NOT NULL THEN
		mine := ARRAY(SELECT r.id FROM shop.returns r WHERE r.order_id = of_order);
	ELSIF NOT souk.sees_all() THEN
		mine := ARRAY(SELECT r.id FROM shop.returns r WHERE r.customer_id = me UNION SELECT r.id FROM shop.returns r WHERE r.order_id = proven);
	END IF;
	WITH hit AS MATERIALIZED (
		SELECT r.id, r.created_at FROM shop.returns r
		 WHERE (mine IS NULL OR r.id = ANY (mine)) AND (args->>'status' IS NULL OR r.status = args->>'status')
		   AND (of_order IS NULL OR r.order_id = of_order)
		 ORDER BY r.created_at DESC, r.id DESC LIMIT 10000
	), page AS (
		SELECT x.id FROM hit x ORDER BY x.created_at DESC, x.id DESC OFFSET start LIMIT page_size
	)
	SELECT json_strip_nulls(json_build_object(
		'returns', (SELECT coalesce(json_agg(shop.return_json(r) ORDER BY r.created_at DESC, r.id DESC), '[]') FROM page p JOIN shop.returns r ON r.id = p.id),
		'total', (SELECT count(*) FROM hit),
		'nextCursor', souk.cursor_next(start, page_size, (SELECT count(*) FROM hit)))) INTO result;
	RETURN result;
END
$$;
