-- What the order tools read and write. Reading functions run with the caller's rights; row-level security decides which orders there are.

-- An order by id or number, each accepted in either place (an id first where an id belongs), in small letters and with blanks around it too; both
-- have to fit when both are given. NULL: the speaker sees none such.
CREATE OR REPLACE FUNCTION shop.order_find(wanted_id text, wanted_number text) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	by_id bigint;
	by_number bigint;
BEGIN
	wanted_id := btrim(wanted_id, E' \t\r\n');
	wanted_number := btrim(wanted_number, E' \t\r\n');
	IF wanted_id IS NULL AND wanted_number IS NULL THEN
		PERFORM souk.fail('SK400', 'orderNumber: give it or orderId');
	END IF;
	IF wanted_id ~ '^[0-9]{1,18}$' THEN
		SELECT o.id INTO by_id FROM shop.orders o WHERE o.id = wanted_id::bigint;
	END IF;
	IF by_id IS NULL AND wanted_id IS NOT NULL THEN
		SELECT o.id INTO by_id FROM shop.orders o WHERE o.number IN (wanted_id, upper(wanted_id)) ORDER BY o.number = wanted_id DESC LIMIT 1;
	END IF;
	IF wanted_number IS NOT NULL THEN
		SELECT o.id INTO by_number FROM shop.orders o WHERE o.number IN (wanted_number, upper(wanted_number)) ORDER BY o.number = wanted_number DESC LIMIT 1;
	END IF;
	IF by_number IS NULL AND wanted_number ~ '^[0-9]{1,18}$' THEN
		SELECT o.id INTO by_number FROM shop.orders o WHERE o.id = wanted_number::bigint;
	END IF;
	RETURN CASE WHEN wanted_id IS NULL THEN by_number WHEN wanted_number IS NULL OR by_id = by_number THEN by_id END;
END
$$;

-- The customer that a call names in member: staff may name anybody, a customer themselves ("me" too), nobody else anybody.
CREATE OR REPLACE FUNCTION shop.customer_named(wanted text, member text) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF souk.me() IS NOT NULL AND wanted IN (souk.me()::text, 'me') THEN
		RETURN souk.me();
	ELSIF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', member || ': is not you');
	ELSIF wanted !~ '^[0-9]{1,18}$' THEN
		PERFORM souk.fail('SK404', member || ': there is no such customer');
	END IF;
	RETURN wanted::bigint;
END
$$;

-- One sentence on where an order stands.
CREATE OR REPLACE FUNCTION shop.order_status_text(status text, lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT coalesce(
	(CASE status
	WHEN 'PENDING' THEN '{"fr": "Commande reçue, en attente de paiement", "en": "Received, waiting for payment", "es": "Pedido recibido, pendiente de pago", "de": "Eingegangen, Zahlung steht aus"}'
	WHEN 'PROCESSING' THEN '{"fr": "En préparation", "en": "Being prepared", "es": "En preparación", "de": "Wird vorbereitet"}'
	WHEN 'PAID' THEN '{"fr": "Payée, bientôt en préparation", "en": "Paid, soon being prepared", "es": "Pagado, pronto en preparación", "de": "Bezahlt, wird bald vorbereitet"}'
	WHEN 'SHIPPED' THEN '{"fr": "Expédiée", "en": "Shipped", "es": "Enviado", "de": "Versandt"}'
	WHEN 'DELIVERED' THEN '{"fr": "Livrée", "en": "Delivered", "es": "Entregado", "de": "Zugestellt"}'
	WHEN 'CANCELLED' THEN '{"fr": "Annulée", "en": "Cancelled", "es": "Cancelado", "de": "Storniert"}' END)::json->>lang, status)
$$;

-- An order in every list. Members without a value are left out by the caller (json_strip_nulls).
CREATE OR REPLACE FUNCTION shop.order_card(o shop.orders) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT json_build_object(
	'id', o.id::text,
	'orderNumber', o.number,
	'status', o.status,
	'total', souk.money(o.total_minor, o.currency),
	'currency', o.currency,
	'itemCount', o.item_count,
	'createdAt', souk.rfc3339(o.created_at),
	'updatedAt', souk.rfc3339(o.updated_at))
$$;

CREATE OR REPLACE FUNCTION shop.order_lines(which bigint, currency text) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(json_agg(json_build_object(
			'productId', i.product_id::text,
			'sku', i.sku,
			'name', i.name,
			'options', nullif(i.options, '{}'),
			'quantity', i.quantity,
			'unitPrice', souk.money(i.unit_price_minor, order_lines.currency),
			'total', souk.money(i.total_minor, order_lines.currency)) ORDER BY i.position, i.id), '[]')
		FROM (SELECT * FROM shop.order_items x WHERE x.order_id = which ORDER BY x.position, x.id LIMIT 200) i);
END
$$;

-- Parcels of an order, the oldest first; with what happened to each on its way when wanted.
CREATE OR REPLACE FUNCTION shop.order_parcels(which bigint, with_events boolean) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(json_agg(json_build_object(
			'carrier', s.carrier,
			'trackingNumber', s.tracking_number,
			'trackingUrl', shop.tracking_url(s),
			'status', s.status,
			'shippedAt', souk.rfc3339(s.shipped_at),
			'estimatedAt', souk.rfc3339(s.estimated_at),
			'deliveredAt', souk.rfc3339(s.delivered_at),
			'events', CASE WHEN with_events THEN (SELECT coalesce(json_agg(json_build_object('at', e.value->>'at', 'status', e.value->>'status',
				'place', e.value->>'place', 'description', e.value->>'description') ORDER BY e.value->>'at', e.n), '[]')
				FROM jsonb_array_elements(s.events) WITH ORDINALITY AS e(value, n) WHERE e.n <= 200) END) ORDER BY s.id), '[]')
		FROM (SELECT * FROM shop.shipments x WHERE x.order_id = which ORDER BY x.id LIMIT 50) s);
END
$$;

-- May the speaker cancel it now?
CREATE OR REPLACE FUNCTION shop.order_can_cancel(o shop.orders) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM shop.order_transitions t
		WHERE t.from_status = o.status AND t.to_status = 'CANCELLED' AND (t.customer OR souk.sees_all()));
END
$$;

-- Where an order stands, with its parcels and when it arrives.
CREATE OR REPLACE FUNCTION shop.order_status(which bigint) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	o shop.orders;
	way json;
BEGIN
	SELECT * INTO o FROM shop.orders x WHERE x.id = which;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF o.status NOT IN ('DELIVERED', 'CANCELLED') THEN
		way := shop.delivery_known(o);           -- nobody may deliver there: no date, all else is still true
	END IF;
	RETURN json_strip_nulls(json_build_object(
		'id', o.id::text, 'orderNumber', o.number, 'status', o.status,
		'statusText', shop.order_status_text(o.status, souk.locale(NULL)),
		'total', souk.money(o.total_minor, o.currency), 'currency', o.currency, 'itemCount', o.item_count,
		'canCancel', shop.order_can_cancel(o), 'cancelReason', o.cancel_reason,
		'estimatedDelivery', CASE WHEN way IS NOT NULL THEN json_build_object('earliest', way->'earliest', 'latest', way->'latest') END,
		'shipments', shop.order_parcels(o.id, false),
		'createdAt', souk.rfc3339(o.created_at), 'updatedAt', souk.rfc3339(o.updated_at), 'paidAt', souk.rfc3339(o.paid_at),
		'shippedAt', souk.rfc3339(o.shipped_at), 'deliveredAt', souk.rfc3339(o.delivered_at), 'cancelledAt', souk.rfc3339(o.cancelled_at)));
END
$$;

-- Orders, the newest first. args: status, dateFrom, dateTo, minTotal, maxTotal, query (number, name, e-mail or product), limit, and cursor or
-- page; whose: only of that customer.
CREATE OR REPLACE FUNCTION shop.order_list(args jsonb, whose bigint) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	size integer := (args->>'limit')::integer;
	since timestamptz := souk.time_arg(args->>'dateFrom', 'dateFrom', false);
	until timestamptz := souk.time_arg(args->>'dateTo', 'dateTo', true);
	mark text := args->>'cursor';
	wanted text := nullif(trim(args->>'query'), '');
	conditions text := concat_ws(' AND ', 'true',
		CASE WHEN whose IS NOT NULL THEN 'o.customer_id = $1' END,
		CASE WHEN args ? 'status' THEN 'o.status = $2->>''status''' END,
		CASE WHEN since IS NOT NULL THEN 'o.created_at >= $3' END,
		CASE WHEN until IS NOT NULL THEN 'o.created_at < $4' END,
		CASE WHEN args ? 'minTotal' THEN 'o.total_minor >= souk.minor(($2->>''minTotal'')::numeric, o.currency)' END,
		CASE WHEN args ? 'maxTotal' THEN 'o.total_minor <= souk.minor(($2->>''maxTotal'')::numeric, o.currency)' END,
		CASE WHEN wanted IS NOT NULL THEN '(o.number ILIKE $5 || ''%'' OR lower(o.email) = lower($6) OR o.customer_id IN (SELECT c.id FROM shop.customers c '
			'WHERE lower(c.email) = lower($6) OR souk.fold(c.name) LIKE ''%'' || souk.fold($5) || ''%'') '
			'OR EXISTS (SELECT FROM shop.order_items i WHERE i.order_id = o.id AND (i.sku = $6 OR souk.fold(i.name) LIKE ''%'' || souk.fold($5) || ''%'')))' END);
	total bigint;
	page bigint := coalesce((args->>'page')::bigint, 1);
	rows json;
	last_id bigint;
	n integer;
BEGIN
	IF since > until THEN
		PERFORM souk.fail('SK400', 'dateFrom: must not be after dateTo');
	ELSIF mark !~ '^k[0-9]{1,18}$' THEN
		PERFORM souk.fail('SK400', 'cursor: not one that this tool returned');
	END IF;
	EXECUTE 'SELECT count(*) FROM shop.orders o WHERE ' || conditions INTO total
		USING whose, args, since, until, souk.like_text(wanted), wanted;
	EXECUTE 'SELECT coalesce(json_agg(shop.order_card(p) ORDER BY p.created_at DESC, p.id DESC), ''[]''), '
		'(array_agg(p.id ORDER BY p.created_at, p.id))[1], count(*) '
		'FROM (SELECT * FROM shop.orders o WHERE ' || conditions
		|| CASE WHEN mark IS NOT NULL THEN ' AND (o.created_at, o.id) < (SELECT m.created_at, m.id FROM shop.orders m WHERE m.id = $7)' ELSE '' END
		|| ' ORDER BY o.created_at DESC, o.id DESC OFFSET $8 LIMIT $9) p'
		INTO rows, last_id, n
		USING whose, args, since, until, souk.like_text(wanted), wanted, substr(mark, 2)::bigint, (page - 1) * size, size;
	RETURN json_build_object('orders', rows, 'total', total,
		'next', CASE WHEN n = size AND n > 0 THEN 'k' || last_id END);
END
$$;

-- A text in which nothing is special to LIKE.
CREATE OR REPLACE FUNCTION souk.like_text(words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT regexp_replace(words, '([\\%_])', '\\\1', 'g') $$;

-- What happened to an order, the oldest first: the steps that were recorded, and for orders from before that the times of the order itself.
CREATE OR REPLACE FUNCTION shop.order_history(which bigint) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	staff boolean := souk.sees_all();
BEGIN
	RETURN (
		WITH o AS (
			SELECT * FROM shop.orders x WHERE x.id = which
		), noted AS (
			SELECT e.id, e.created_at AS at, e.kind, e.from_status, e.to_status, e.actor_kind, e.actor, nullif(e.reason, '') AS reason, e.data
			  FROM shop.order_events e WHERE e.order_id = which AND (staff OR e.kind <> 'note')
		), told AS (
			SELECT 0 AS id, t.at, 'status' AS kind, NULL::text AS from_status, t.status AS to_status, NULL::text AS actor_kind, NULL::text AS actor,
				CASE t.status WHEN 'CANCELLED' THEN o.cancel_reason END AS reason, '{}'::jsonb AS data
			  FROM o, LATERAL (VALUES ('PENDING', o.created_at), ('PAID', o.paid_at), ('SHIPPED', o.shipped_at), ('DELIVERED', o.delivered_at),
				('CANCELLED', o.cancelled_at)) AS t(status, at)
			 WHERE t.at IS NOT NULL AND NOT EXISTS (SELECT FROM noted n WHERE n.kind = 'status' AND n.to_status = t.status)
		)
		SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
			'at', souk.rfc3339(h.at),
			'kind', h.kind,
			'from', h.from_status,
			'status', h.to_status,
			'text', shop.order_status_text(h.to_status, souk.locale(NULL)),
			'by', CASE WHEN staff THEN h.actor WHEN h.actor_kind IN ('customer', 'guest') THEN 'customer' WHEN h.actor_kind IS NOT NULL THEN 'shop' END,
			'reason', h.reason,
			'carrier', h.data->>'carrier', 'trackingNumber', h.data->>'trackingNumber', 'place', h.data->>'place')) ORDER BY h.at, h.id), '[]')
		FROM (SELECT * FROM noted UNION ALL SELECT * FROM told ORDER BY at DESC LIMIT 200) h);
END
$$;

-- Messages about an order, the oldest of the last so many first; as many as fit into 60 kB.
CREATE OR REPLACE FUNCTION shop.order_letters(which bigint, most integer) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
			'id', m.id::text, 'at', souk.rfc3339(m.created_at), 'from', CASE WHEN m.from_shop THEN 'shop' ELSE 'customer' END,
			'author', CASE WHEN souk.sees_all() THEN m.author END, 'message', m.body, 'readAt', souk.rfc3339(m.read_at))) ORDER BY m.id), '[]')
		FROM (SELECT *, sum(octet_length(x.body)) OVER (ORDER BY x.id DESC) AS upto FROM shop.order_messages x WHERE x.order_id = which
			ORDER BY x.id DESC LIMIT most) m WHERE m.upto <= 60000);
END
$$;

-- ---- writing ----

-- Only the shop itself.
CREATE OR REPLACE FUNCTION souk.staff_only() RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop itself may do this');
	END IF;
END
$$;

-- The order that args name, locked: what is decided about it stays true. SK404: the speaker sees none such.
CREATE OR REPLACE FUNCTION shop.order_take(args jsonb) RETURNS shop.orders
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders;
BEGIN
	SELECT * INTO o FROM shop.orders x
	 WHERE x.id = shop.order_find(coalesce(args->>'orderId', args->>'order_id'), args->>'orderNumber') AND shop.order_is_mine(x) FOR UPDATE;
	IF o.id IS NULL THEN
		PERFORM souk.fail('SK404', 'there is no such order');
	END IF;
	RETURN o;
END
$$;

-- {orderId, reason} -> {id, orderNumber, status, cancelledAt, refundRequested}
CREATE OR REPLACE FUNCTION shop.order_cancel(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders := shop.order_take(args);
BEGIN
	o := shop.order_move(o.id, 'CANCELLED', args->>'reason', NULL);
	IF souk.sees_all() THEN
		PERFORM souk.audit_note('order.cancel', o.number, jsonb_build_object('reason', args->>'reason'));
	END IF;
	RETURN json_strip_nulls(json_build_object('id', o.id::text, 'orderNumber', o.number, 'status', o.status,
		'cancelledAt', souk.rfc3339(o.cancelled_at), 'refundRequested', EXISTS (SELECT FROM shop.refunds r WHERE r.order_id = o.id)));
END
$$;

-- {orderId, message} -> {id, orderNumber, at, from}. Whoever speaks for the shop writes to the customer, the customer or guest to the shop; the
-- other side's messages then count as read, and the other side is told.
CREATE OR REPLACE FUNCTION shop.order_write(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders := shop.order_take(args);
	by_shop boolean := souk.sees_all();
	words text := trim(args->>'message', E' \t\r\n');
	made shop.order_messages;
	address text;
BEGIN
	IF words = '' THEN
		PERFORM souk.fail('SK400', 'message: must not be blank');
	END IF;
	IF NOT by_shop AND (SELECT count(*) >= 20 FROM shop.order_messages m WHERE m.order_id = o.id AND NOT m.from_shop
		AND m.created_at > now() - interval '1 hour') THEN
		PERFORM souk.fail('SK429', 'at most 20 messages an hour about one order');
	END IF;
	INSERT INTO shop.order_messages (order_id, from_shop, author, body) VALUES (o.id, by_shop, souk.actor(), words) RETURNING * INTO made;
	UPDATE shop.order_messages m SET read_at = now() WHERE m.order_id = o.id AND m.from_shop <> by_shop AND m.read_at IS NULL;
	address := CASE WHEN NOT by_shop THEN souk.setting('shop.email', NULL) END;
	IF by_shop OR address IS NOT NULL THEN
		PERFORM souk.notify('order_message', CASE WHEN by_shop THEN o.customer_id END, address, NULL,
			jsonb_build_object('orderId', o.id::text, 'orderNumber', o.number, 'message', words), 'order_message:' || made.id);
	END IF;
	RETURN json_build_object('id', made.id::text, 'orderId', o.id::text, 'orderNumber', o.number, 'at', souk.rfc3339(made.created_at),
		'from', CASE WHEN by_shop THEN 'shop' ELSE 'customer' END);
END
$$;

-- {orderId, carrier, trackingNumber, trackingUrl} -> as order_status. A second parcel of an order that is under way is added to it.
CREATE OR REPLACE FUNCTION shop.order_ship(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders := shop.order_take(args);
	by_whom shop.carriers := shop.carrier_find(args->>'carrier');
	number text := upper(regexp_replace(args->>'trackingNumber', '\s', '', 'g'));
	facts jsonb;
	parcel shop.shipments;
BEGIN
	PERFORM souk.staff_only();
	IF number !~ '^[A-Z0-9-]{4,64}$' THEN
		PERFORM souk.fail('SK400', 'trackingNumber: must be 4 to 64 letters, digits or hyphens');
	ELSIF args->>'trackingUrl' !~* '^https://' THEN
		PERFORM souk.fail('SK400', 'trackingUrl: must begin with https:// or be left out');
	ELSIF EXISTS (SELECT FROM shop.shipments s WHERE s.order_id = o.id AND s.tracking_number = number) THEN
		PERFORM souk.fail('SK409', format('order %s has a parcel %s already', o.number, number));
	END IF;
	INSERT INTO shop.shipments (order_id, shipped_at, status, carrier, tracking_number, tracking_url, events)
	VALUES (o.id, now(), 'IN_TRANSIT', coalesce(by_whom.name, args->>'carrier'), number, args->>'trackingUrl',
		jsonb_build_array(jsonb_build_object('at', souk.rfc3339(now()), 'status', 'picked_up')))
	RETURNING * INTO parcel;
	UPDATE shop.shipments s SET tracking_url = shop.tracking_url(parcel) WHERE s.id = parcel.id;
	facts := jsonb_strip_nulls(jsonb_build_object('carrier', parcel.carrier, 'trackingNumber', number, 'trackingUrl', shop.tracking_url(parcel)));
	IF o.status = 'SHIPPED' THEN
		PERFORM shop.order_note(o.id, 'shipment', NULL, NULL, NULL, facts);
	ELSE
		o := shop.order_move(o.id, 'SHIPPED', NULL, facts);
	END IF;
	UPDATE shop.shipments s SET estimated_at = ((shop.delivery_known(o)->>'latest')::date + time '20:00') AT TIME ZONE souk.setting('shop.timezone', 'Europe/Paris')
	 WHERE s.id = parcel.id;
	PERFORM souk.audit_note('order.ship', o.number, facts);
	RETURN shop.order_status(o.id);
END
$$;

-- The parcel that args name: by its number, else the only one that is under way.
CREATE OR REPLACE FUNCTION shop.parcel_take(which bigint, number text) RETURNS shop.shipments
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	s shop.shipments;
	n bigint;
BEGIN
	SELECT count(*) INTO n FROM shop.shipments x WHERE x.order_id = which AND (number IS NULL AND x.status <> 'DELIVERED' OR x.tracking_number = upper(number));
	IF n = 0 AND number IS NOT NULL THEN
		PERFORM souk.fail('SK404', 'trackingNumber: this order has no such parcel');
	ELSIF n > 1 THEN
		PERFORM souk.fail('SK400', 'trackingNumber: is needed, the order has several parcels');
	END IF;
	SELECT * INTO s FROM shop.shipments x
	 WHERE x.order_id = which AND (number IS NULL AND x.status <> 'DELIVERED' OR x.tracking_number = upper(number)) FOR UPDATE;
	RETURN s;
END
$$;

-- {orderId, status, at, place, description, trackingNumber} -> as order_status. The last parcel that arrives makes the order DELIVERED.
CREATE OR REPLACE FUNCTION shop.order_track(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders := shop.order_take(args);
	becomes text := args->>'status';
	moment timestamptz := coalesce((args->>'at')::timestamptz, now());
	parcel shop.shipments;
	facts jsonb;
BEGIN
	PERFORM souk.staff_only();
	IF moment > now() + interval '5 minutes' THEN
		PERFORM souk.fail('SK400', 'at: must not be in the future');
	ELSIF o.status <> 'SHIPPED' THEN
		PERFORM souk.fail('SK409', format('order %s is %s; nothing of it is under way', o.number, o.status));
	END IF;
	parcel := shop.parcel_take(o.id, args->>'trackingNumber');
	IF parcel.status = 'DELIVERED' THEN
		PERFORM souk.fail('SK409', format('parcel %s has been delivered already', parcel.tracking_number));
	END IF;
	facts := jsonb_strip_nulls(jsonb_build_object('trackingNumber', parcel.tracking_number, 'place', args->>'place'));
	IF parcel.id IS NOT NULL THEN
		UPDATE shop.shipments s SET status = becomes,
			delivered_at = CASE WHEN becomes = 'DELIVERED' THEN moment END,
			events = (SELECT coalesce(jsonb_agg(e.value ORDER BY e.n), '[]') FROM jsonb_array_elements(s.events) WITH ORDINALITY AS e(value, n)
				WHERE e.n > jsonb_array_length(s.events) - 199)
				|| jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('at', souk.rfc3339(moment), 'status', lower(becomes), 'place', args->>'place',
				'description', args->>'description')))
		 WHERE s.id = parcel.id;
		PERFORM shop.order_note(o.id, 'tracking', NULL, NULL, coalesce(args->>'description', lower(becomes)), facts);
	END IF;
	IF becomes = 'DELIVERED' AND NOT EXISTS (SELECT FROM shop.shipments s WHERE s.order_id = o.id AND s.status <> 'DELIVERED') THEN
		o := shop.order_move(o.id, 'DELIVERED', NULL, facts);
	END IF;
	PERFORM souk.audit_note('order.track', o.number, facts || jsonb_build_object('status', becomes));
	RETURN shop.order_status(o.id);
END
$$;

-- {orderId, status, reason} -> as order_status. Any step of the table, for what other tools do not do.
CREATE OR REPLACE FUNCTION shop.order_set_status(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders := shop.order_take(args);
	was text := o.status;
BEGIN
	PERFORM souk.staff_only();
	o := shop.order_move(o.id, args->>'status', args->>'reason', NULL);
	PERFORM souk.audit_note('order.status', o.number, jsonb_strip_nulls(jsonb_build_object('from', was, 'to', o.status, 'reason', args->>'reason')));
	RETURN shop.order_status(o.id);
END
$$;

-- What was paid for an order, what has gone back or is on its way, and what is left.
CREATE OR REPLACE FUNCTION shop.refund_sums(which bigint, OUT paid bigint, OUT refunded bigint, OUT pending bigint, OUT remaining bigint, OUT by_hand boolean)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	SELECT coalesce(sum(p.paid_minor), 0), coalesce(sum(p.refunded_minor), 0), coalesce(sum(greatest(r.asked - p.refunded_minor, 0)), 0),
		coalesce(bool_or(p.provider <> 'stripe'), false)
	  INTO paid, refunded, pending, by_hand
	  FROM shop.payments p, LATERAL (SELECT coalesce(sum(x.amount_minor), 0) AS asked FROM shop.refunds x WHERE x.payment_id = p.id AND x.state <> 'failed') r
	 WHERE p.order_id = which AND p.paid_at IS NOT NULL;
	remaining := paid - refunded - pending;
END
$$;

-- {orderId, amount} -> what refund_order would do.
CREATE OR REPLACE FUNCTION shop.refund_preview(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	o shop.orders;
	m record;
	amount bigint;
BEGIN
	PERFORM souk.staff_only();
	SELECT * INTO o FROM shop.orders x WHERE x.id = shop.order_find(args->>'orderId', NULL);
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	SELECT * INTO m FROM shop.refund_sums(o.id);
	amount := coalesce(shop.amount_arg(args->>'amount', o.currency, 'amount'), m.remaining);
	RETURN json_build_object('orderId', o.id::text, 'orderNumber', o.number, 'status', o.status, 'currency', o.currency,
		'paid', souk.money(m.paid, o.currency), 'refunded', souk.money(m.refunded, o.currency), 'pending', souk.money(m.pending, o.currency),
		'refundable', souk.money(m.remaining, o.currency), 'amount', souk.money(amount, o.currency),
		'possible', amount > 0 AND amount <= m.remaining, 'byHand', m.by_hand,
		'cancels', amount = m.remaining AND amount > 0 AND o.status IN ('PAID', 'PROCESSING'));
END
$$;

-- A decimal of a currency in minor units; refused when it has more digits than the currency.
CREATE OR REPLACE FUNCTION shop.amount_arg(value text, currency text, member text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF value::numeric <> round(value::numeric, souk.money_scale(currency)) THEN
		PERFORM souk.fail('SK400', format('%s: has more digits after the point than %s', member, currency));
	END IF;
	RETURN souk.minor(value::numeric, currency);
END
$$;

-- {orderId, amount, reason, operationId} -> {refundId, orderNumber, amount, currency, state, refundable}. The same operationId refunds once.
CREATE OR REPLACE FUNCTION shop.refund_order(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders := shop.order_take(args);
	wanted bigint := shop.amount_arg(args->>'amount', o.currency, 'amount');
	once text := 'staff:' || coalesce(args->>'operationId', gen_random_uuid()::text);
	made bigint;
	amount bigint;
BEGIN
	PERFORM souk.staff_only();
	made := shop.refund_request(o.id, wanted, coalesce(args->>'reason', 'by the shop'), once);
	IF made IS NULL THEN
		PERFORM souk.fail('SK409', format('nothing of order %s is left to refund', o.number));
	END IF;
	-- One refund may be parts of several payments.
	SELECT sum(r.amount_minor) INTO amount FROM shop.refunds r WHERE r.order_id = o.id AND r.dedupe IN (once, once || ':' || r.payment_id);
	IF wanted <> amount THEN
		PERFORM souk.fail('SK409', 'operationId: was used for another refund; give this one its own');
	END IF;
	PERFORM souk.audit_note('order.refund', o.number, jsonb_strip_nulls(jsonb_build_object('refund', made, 'amount', args->'amount', 'currency', o.currency,
		'reason', args->>'reason')));
	RETURN (SELECT json_build_object('refundId', r.id::text, 'orderId', o.id::text, 'orderNumber', o.number, 'amount', souk.money(amount, r.currency),
			'currency', r.currency, 'state', r.state, 'refundable', souk.money((shop.refund_sums(o.id)).remaining, o.currency))
		FROM shop.refunds r WHERE r.id = made);
END
$$;
