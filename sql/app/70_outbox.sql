-- Queueing of messages and webhooks in the caller's transaction. See docs/notifications.md and docs/webhooks.md.

DROP POLICY IF EXISTS by_the_shop ON souk.outbox;
CREATE POLICY by_the_shop ON souk.outbox USING ((SELECT souk.sees_all()));
DROP POLICY IF EXISTS by_the_shop ON souk.opt_outs;
CREATE POLICY by_the_shop ON souk.opt_outs USING ((SELECT souk.sees_all()));
DROP POLICY IF EXISTS by_the_shop ON souk.webhook_events;
CREATE POLICY by_the_shop ON souk.webhook_events USING ((SELECT souk.sees_all()));

CREATE OR REPLACE FUNCTION souk.notice_names() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT ARRAY['order_confirmation', 'payment_received', 'payment_failed', 'order_shipped', 'order_delivered', 'order_cancelled',
	'return_opened', 'return_decided', 'refund_sent', 'one_time_code', 'ticket_created', 'ticket_reply', 'alert', 'order_message',
	'message']
$$;

CREATE OR REPLACE FUNCTION souk.event_names() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT ARRAY['order.created', 'order.paid', 'order.shipped', 'order.delivered', 'order.cancelled', 'order.refunded',
	'product.stock_low', 'return.opened', 'ticket.created', 'webhook.test']
$$;

-- An address as it is compared: mail in lower case; numbers as + and digits. NULL for what is neither.
CREATE OR REPLACE FUNCTION souk.address_key(address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
	WHEN address ~ '^[^[:space:][:cntrl:]@<>(),;:\\"]{1,64}@[^[:space:][:cntrl:]@<>(),;:\\"]{1,255}$' THEN lower(address)
	WHEN regexp_replace(address, '^whatsapp:|[ ().-]', '', 'g') ~ '^(\+|00)[1-9][0-9]{6,14}$'
		THEN regexp_replace(regexp_replace(address, '^whatsapp:|[ ().-]', '', 'g'), '^00', '+') END
$$;

-- 1499, EUR, de -> 14,99 €; en -> €14.99
CREATE OR REPLACE FUNCTION souk.money_text(minor bigint, currency text, locale text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	sign text := CASE WHEN minor < 0 THEN '-' ELSE '' END;
	whole text := trunc(abs(souk.money(minor, currency)))::text;
	digits text := substr(split_part(abs(souk.money(minor, currency))::text, '.', 2), 1, souk.money_scale(currency));
	symbol text := CASE currency WHEN 'EUR' THEN '€' WHEN 'GBP' THEN '£' WHEN 'USD' THEN '$' WHEN 'JPY' THEN '¥' ELSE currency END;
	grouped text;
BEGIN
	-- A narrow no-break space in French, as its printers do; a dot in German and Spanish.
	grouped := reverse(regexp_replace(reverse(whole), '([0-9]{3})(?=[0-9])',
		'\1' || CASE locale WHEN 'en' THEN ',' WHEN 'fr' THEN U&'\202F' ELSE '.' END, 'g'));
	IF locale = 'en' THEN
		RETURN sign || symbol || CASE WHEN length(symbol) = 3 THEN U&'\00A0' ELSE '' END || grouped
			|| CASE WHEN digits <> '' THEN '.' || digits ELSE '' END;
	END IF;
	RETURN sign || grouped || CASE WHEN digits <> '' THEN ',' || digits ELSE '' END || U&'\00A0' || symbol;
END
$$;

-- 20 November 2026, 20 novembre 2026, 20 de noviembre de 2026, 20. November 2026
CREATE OR REPLACE FUNCTION souk.date_text(t timestamptz, locale text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT extract(day FROM t AT TIME ZONE 'UTC')::text
	|| CASE locale WHEN 'es' THEN ' de ' WHEN 'de' THEN '. ' ELSE ' ' END
	|| (CASE locale
		WHEN 'fr' THEN ARRAY['janvier', 'février', 'mars', 'avril', 'mai', 'juin', 'juillet', 'août', 'septembre', 'octobre', 'novembre', 'décembre']
		WHEN 'es' THEN ARRAY['enero', 'febrero', 'marzo', 'abril', 'mayo', 'junio', 'julio', 'agosto', 'septiembre', 'octubre', 'noviembre', 'diciembre']
		WHEN 'de' THEN ARRAY['Januar', 'Februar', 'März', 'April', 'Mai', 'Juni', 'Juli', 'August', 'September', 'Oktober', 'November', 'Dezember']
		ELSE ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
	END)[extract(month FROM t AT TIME ZONE 'UTC')::integer]
	|| CASE locale WHEN 'es' THEN ' de ' ELSE ' ' END || extract(year FROM t AT TIME ZONE 'UTC')::text
$$;

-- What the templates say of an order, ready to be read in that language.
CREATE OR REPLACE FUNCTION souk.notice_order(o shop.orders, locale text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	s shop.shipments;
BEGIN
	SELECT * INTO s FROM shop.shipments x WHERE x.order_id = o.id ORDER BY x.created_at DESC, x.id DESC LIMIT 1;
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'orderNumber', o.number,
		'orderDate', souk.date_text(o.created_at, locale),
		'items', coalesce((SELECT jsonb_agg(jsonb_build_object('name', i.name, 'sku', i.sku, 'quantity', i.quantity,
				'unitPrice', souk.money_text(i.unit_price_minor, o.currency, locale),
				'total', souk.money_text(i.total_minor, o.currency, locale)) ORDER BY i.position, i.id)
			FROM (SELECT * FROM shop.order_items x WHERE x.order_id = o.id ORDER BY x.position, x.id LIMIT 200) i), '[]'::jsonb),
		'subtotal', souk.money_text(o.subtotal_minor, o.currency, locale),
		'discount', CASE WHEN o.discount_minor > 0 THEN souk.money_text(o.discount_minor, o.currency, locale) END,
		'shipping', souk.money_text(o.shipping_minor, o.currency, locale),
		'tax', CASE WHEN o.tax_minor > 0 THEN souk.money_text(o.tax_minor, o.currency, locale) END,
		'total', souk.money_text(o.total_minor, o.currency, locale),
		'cancelReason', o.cancel_reason,
		'customerName', coalesce(nullif(o.shipping_address->>'name', ''),
			(SELECT nullif(c.name, '') FROM shop.customers c WHERE c.id = o.customer_id)),
		'shippingAddress', CASE WHEN o.shipping_address <> '{}' THEN (SELECT string_agg(l, E'\n') FROM unnest(ARRAY[
			o.shipping_address->>'name', o.shipping_address->>'line1', o.shipping_address->>'line2', o.shipping_address->>'street',
			nullif(concat_ws(' ', coalesce(o.shipping_address->>'postcode', o.shipping_address->>'postalCode', o.shipping_address->>'zip'),
				o.shipping_address->>'city'), ''), o.shipping_address->>'country']) l WHERE l <> '') END,
		'carrier', s.carrier, 'trackingNumber', s.tracking_number, 'trackingUrl', s.tracking_url,
		'estimatedDate', souk.date_text(s.estimated_at, locale)));
END
$$;

-- The id of a one-time queue row: what is queued twice with one dedupe key is queued once, and the first one's id is returned.
CREATE OR REPLACE FUNCTION souk.outbox_add(channel text, template text, customer bigint, recipient text, locale text, data jsonb,
	dedupe text, expires_at timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
	made bigint;
BEGIN
	INSERT INTO souk.outbox (channel, template, customer_id, recipient, locale, data, dedupe, expires_at)
	VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}'), $7, $8)
	ON CONFLICT (dedupe) DO NOTHING
	RETURNING id INTO made;
	IF made IS NULL THEN
		SELECT id INTO made FROM souk.outbox o WHERE o.dedupe = $7;
	END IF;
	RETURN made;
END
$$;

-- The work of souk.notify().
CREATE OR REPLACE FUNCTION souk.notice_queue(template text, customer bigint, recipient text, locale text, data jsonb, dedupe text)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	c shop.customers;
	o shop.orders;
	address text := nullif($3, '');
	spoken text := $4;
	model jsonb := coalesce($5, '{}');
	once text := $6;
	way text;
BEGIN
	IF NOT $1 = ANY (souk.notice_names()) THEN
		RAISE EXCEPTION 'there is no notification %', $1;
	END IF;
	IF jsonb_typeof(model) <> 'object' OR length(model::text) > 65536 THEN
		RAISE EXCEPTION 'notification %: data must be an object of at most 64 kB', $1;
	END IF;
	IF model->>'orderId' ~ '^[0-9]{1,18}$' THEN
		SELECT * INTO o FROM shop.orders x WHERE x.id = (model->>'orderId')::bigint;
	ELSIF model->>'orderNumber' <> '' THEN
		SELECT * INTO o FROM shop.orders x WHERE x.number = model->>'orderNumber';
	END IF;
	SELECT * INTO c FROM shop.customers x WHERE x.id = coalesce($2, o.customer_id) AND x.erased_at IS NULL;
	spoken := lower(coalesce(spoken, c.locale, o.locale, nullif(current_setting('souk.locale', true), ''), 'fr'));
	IF spoken NOT IN ('en', 'es', 'fr', 'de') THEN
		spoken := 'en';
	END IF;
	IF o.id IS NOT NULL THEN
		model := model || souk.notice_order(o, spoken);
	END IF;
	-- Amounts in minor units are said as people do.
	IF model->>'amountMinor' ~ '^[0-9]{1,15}$' AND length(model->>'currency') = 3 THEN
		model := model || jsonb_build_object('amount', souk.money_text((model->>'amountMinor')::bigint, model->>'currency', spoken));
	END IF;
	IF model->>'refundMinor' ~ '^[0-9]{1,15}$' AND length(model->>'currency') = 3 THEN
		model := model || jsonb_build_object('refund', souk.money_text((model->>'refundMinor')::bigint, model->>'currency', spoken));
	END IF;
	IF $1 LIKE 'return\_%' THEN
		model := jsonb_strip_nulls(jsonb_build_object('refund', model->'amount', 'reason', model->'note', 'accepted', model->>'status' <> 'REFUSED')) || model;
	END IF;
	IF c.name <> '' AND NOT model ? 'customerName' THEN
		model := model || jsonb_build_object('customerName', c.name);
	END IF;
	IF address IS NULL AND $1 <> 'alert' THEN
		address := coalesce(nullif(c.email, ''), nullif(o.email, ''), nullif(c.phone, ''));
		IF address IS NULL THEN
			RETURN NULL;
		END IF;
	END IF;
	way := CASE WHEN address LIKE 'whatsapp:%' THEN 'whatsapp' WHEN address LIKE '%@%' OR address IS NULL THEN 'email' ELSE 'sms' END;
	-- The same alert is told once an hour, however often it is raised.
	IF $1 = 'alert' AND once IS NULL THEN
		once := 'alert:' || to_char(now(), 'YYYYMMDDHH24') || ':' || md5(concat_ws('|', address, model::text));
	END IF;
	-- What is no address is queued all the same and then parked, where somebody sees it.
	RETURN souk.outbox_add(way, $1, c.id, left(coalesce(souk.address_key(address), address), 320), spoken, model, once,
		CASE WHEN $1 = 'one_time_code' THEN clock_timestamp() + interval '15 minutes' END);
END
$$;

-- Queue the message of this template, in the caller's transaction. recipient: an address, "+33612345678" for a text message or
-- "whatsapp:+33612345678"; NULL for the customer's own, without a customer the order's, and for alerts the shop's. locale NULL: the
-- customer's language. data: what the template names; for orders "orderNumber" or "orderId" suffices. dedupe: the same key queues
-- once, ever. -> id in souk.outbox, NULL when nobody can be reached.
CREATE OR REPLACE FUNCTION souk.notify(template text, customer bigint, recipient text, locale text, data jsonb, dedupe text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	queued bigint;
BEGIN
	-- Addresses are looked up whoever speaks. (A function's own SET would need a superuser for such a setting.)
	PERFORM set_config('souk.kind', 'system', true);
	queued := souk.notice_queue($1, $2, $3, $4, $5, $6);
	PERFORM set_config('souk.kind', speaker, true);
	RETURN queued;
END
$$;

-- The tools send_email, send_sms and send_whatsapp: staff and services only, whatever their scopes.
CREATE OR REPLACE FUNCTION souk.send_message(channel text, args jsonb, most bigint, seconds bigint) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	address text := souk.address_key(args->>'to');
	spoken text := coalesce(args->>'locale', souk.locale(NULL));
	model jsonb := jsonb_build_object('body', args->>'body') || CASE $1
		WHEN 'email' THEN jsonb_build_object('subject', args->>'subject',
			'paragraphs', to_jsonb(regexp_split_to_array(btrim(args->>'body', E' \n\r\t'), '(\r?\n){2,}')))
			|| CASE WHEN args ? 'attachments' THEN jsonb_build_object('attachments', args->'attachments') ELSE '{}' END
		WHEN 'whatsapp' THEN CASE WHEN args ? 'template' THEN jsonb_build_object('metaTemplate', args->>'template',
			'metaParameters', coalesce(args->'parameters', '[]')) ELSE '{}' END
		ELSE '{}' END;
	made bigint;
	now_is text;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only staff and services send messages');
	ELSIF address IS NULL OR (address LIKE '+%') <> ($1 <> 'email') THEN
		PERFORM souk.fail('SK400', CASE WHEN $1 = 'email' THEN 'to: not a mail address' ELSE 'to: not a telephone number such as +33612345678' END);
	ELSIF args->>'template' !~ '^[a-z0-9_]+$' THEN
		PERFORM souk.fail('SK400', 'template: of a to z, 0 to 9 and _');
	ELSIF EXISTS (SELECT FROM souk.opt_outs o WHERE o.channel = $1 AND o.recipient = address) THEN
		PERFORM souk.fail('SK409', 'to: the recipient has opted out of this channel');
	END IF;
	SELECT id, status INTO made, now_is FROM souk.outbox o WHERE o.dedupe = 'tool:' || (args->>'dedupeKey');
	IF made IS NULL THEN
		IF $3 > 0 AND (SELECT count(*) >= $3 FROM souk.outbox o WHERE o.channel = $1 AND o.recipient = address
			AND o.created_at > now() - make_interval(secs => $4)) THEN
			PERFORM souk.fail('SK429', 'to: the recipient has had enough messages for now');
		END IF;
		made := souk.outbox_add($1, 'message', NULL, address, CASE WHEN spoken IN ('en', 'es', 'fr', 'de') THEN spoken ELSE 'en' END, model,
			'tool:' || (args->>'dedupeKey'), NULL);
		now_is := 'waiting';
	END IF;
	RETURN json_build_object('success', true, 'messageId', made::text, 'channel', $1, 'status', now_is);
END
$$;

-- Queue a signed webhook for every endpoint that wants this event, in the caller's transaction. subject: an order's number, a product's SKU, ...
-- -> id of the event, NULL when nobody wants it.
CREATE OR REPLACE FUNCTION souk.emit(event text, subject text, data jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	made text;
BEGIN
	IF NOT $1 = ANY (souk.event_names()) THEN
		RAISE EXCEPTION 'there is no event %', $1;
	END IF;
	IF EXISTS (SELECT FROM souk.webhook_endpoints e WHERE e.disabled_at IS NULL AND e.events && ARRAY[$1, '*']) THEN
		PERFORM set_config('souk.kind', 'system', true);
		made := souk.event_add($1, $2, $3);
		PERFORM souk.webhook_queue(e.id, made, '')
			FROM souk.webhook_endpoints e WHERE e.disabled_at IS NULL AND e.events && ARRAY[$1, '*'] ORDER BY e.id;
		PERFORM set_config('souk.kind', speaker, true);
	END IF;
	RETURN made;
END
$$;

-- Queue an event for one endpoint. again: '' for the first time, else what tells this repeat from others.
CREATE OR REPLACE FUNCTION souk.webhook_queue(endpoint bigint, event text, again text) RETURNS bigint
LANGUAGE sql
AS $$
SELECT souk.outbox_add('webhook', NULL, NULL, NULL, NULL, jsonb_build_object('endpoint', endpoint, 'event', event),
	'webhook:' || event || ':' || endpoint || again, NULL)
$$;

-- The event itself: {"id", "type", "created", "subject", "data"}.
CREATE OR REPLACE FUNCTION souk.event_add(event text, subject text, data jsonb) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	made text := 'evt_' || replace(gen_random_uuid()::text, '-', '');
BEGIN
	INSERT INTO souk.webhook_events (id, event, subject, body)
	VALUES (made, $1, left(coalesce($2, ''), 200), json_build_object('id', made, 'type', $1, 'created', souk.rfc3339(now()),
		'subject', left(coalesce($2, ''), 200), 'data', coalesce($3, '{}'))::text);
	RETURN made;
END
$$;

-- The recipient of a message wants no more on its channel; really false: only look. Whoever calls has checked that it is they who ask.
CREATE OR REPLACE FUNCTION souk.unsubscribe(message bigint, really boolean) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	o souk.outbox;
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	SELECT * INTO o FROM souk.outbox x WHERE x.id = $1 AND x.recipient IS NOT NULL AND x.channel IN ('email', 'sms', 'whatsapp');
	IF o.id IS NOT NULL AND $2 THEN
		INSERT INTO souk.opt_outs (channel, recipient, source) VALUES (o.channel, o.recipient, 'customer') ON CONFLICT DO NOTHING;
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	IF o.id IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN json_build_object('channel', o.channel, 'done', $2, 'address', CASE WHEN o.recipient LIKE '%@%'
		THEN left(o.recipient, 1) || '***@' || split_part(o.recipient, '@', 2) ELSE '***' || right(o.recipient, 2) END);
END
$$;

-- What a provider tells of a message that it was given, by the row's key: state sent, delivered or failed; provider: its own name for it. For the program
-- that has checked the signature. A message that never arrived is parked, and the shop is told. -> what was made of it.
CREATE OR REPLACE FUNCTION souk.delivery_report(way text, message text, provider text, state text, code text, unwanted boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	o souk.outbox;
	done text := 'ignored';
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'only the shop takes in delivery reports');
	ELSIF message !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
		RETURN 'unknown';
	END IF;
	PERFORM set_config('souk.kind', 'system', true);
	SELECT * INTO o FROM souk.outbox x WHERE x.key = message::uuid AND x.channel IN ('email', 'sms', 'whatsapp') FOR UPDATE;
	IF o.id IS NULL THEN
		done := 'unknown';
	ELSIF split_part(o.provider_id, ' ', 1) <> provider THEN
		done := 'ignored';                       -- of a message before the one that is known
	ELSIF state IN ('sent', 'delivered') THEN
		-- Whoever was to note that it was sent may have been killed: nobody has to send it again.
		IF o.status IN ('waiting', 'sending') AND o.attempts > 0 THEN
			UPDATE souk.outbox x SET status = 'sent', reason = NULL, provider_id = provider, lease_until = NULL, done_at = now(),
				data = CASE WHEN x.template = 'one_time_code' THEN '{}' ELSE x.data - 'attachments' END WHERE x.id = o.id;
			done := 'sent';
		END IF;
		IF state = 'delivered' AND o.delivered_at IS NULL AND o.status <> 'parked' THEN
			UPDATE souk.outbox x SET delivered_at = now() WHERE x.id = o.id;
			done := 'delivered';
		END IF;
	ELSIF state = 'failed' AND o.delivered_at IS NULL AND o.status IN ('waiting', 'sending', 'sent') AND o.attempts > 0 THEN
		done := CASE WHEN unwanted THEN 'suppressed' ELSE 'parked' END;
		-- A code is not there any more, so it is not sent again.
		UPDATE souk.outbox x SET status = done, provider_id = provider, lease_until = NULL, done_at = now(),
			reason = left('the provider could not deliver it' || coalesce(' (code ' || nullif(code, '') || ')', ''), 200),
			expires_at = CASE WHEN x.template = 'one_time_code' THEN least(x.expires_at, now()) ELSE x.expires_at END,
			data = CASE WHEN x.template = 'one_time_code' THEN '{}' ELSE x.data END WHERE x.id = o.id;
		IF unwanted AND o.recipient IS NOT NULL THEN
			INSERT INTO souk.opt_outs (channel, recipient, source) VALUES (way, o.recipient, 'provider') ON CONFLICT DO NOTHING;
		ELSIF o.template <> 'alert' THEN
			PERFORM souk.alert('message', 'warning', format('messages could not be delivered (%s%s)', way, coalesce(', code ' || nullif(code, ''), '')),
				jsonb_build_object('message', o.id, 'template', o.template));
		END IF;
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN done;
END
$$;

CREATE OR REPLACE FUNCTION souk.outbox_state(OUT parked bigint, OUT late bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
BEGIN
	PERFORM set_config('souk.kind', 'system', false);
	SELECT count(*) FILTER (WHERE o.status = 'parked'), count(*) FILTER (WHERE o.status IN ('waiting', 'sending') AND o.next_at < now() - interval '5 minutes')
		INTO parked, late FROM souk.outbox o WHERE o.status IN ('parked', 'waiting', 'sending');
	PERFORM set_config('souk.kind', speaker, false);
END
$$;

-- What was sent long ago goes: rows with names and addresses after 90 days, the delivery log after 30.
CREATE OR REPLACE FUNCTION souk.outbox_housekeep() RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	messages bigint;
	events bigint;
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	DELETE FROM souk.outbox WHERE id IN (SELECT id FROM souk.outbox WHERE done_at < now() - interval '90 days' LIMIT 10000);
	GET DIAGNOSTICS messages = ROW_COUNT;
	DELETE FROM souk.webhook_events WHERE id IN (SELECT e.id FROM souk.webhook_events e WHERE e.created_at < now() - interval '30 days'
		AND NOT EXISTS (SELECT FROM souk.outbox o WHERE o.status IN ('waiting', 'sending') AND o.channel = 'webhook' AND o.data->>'event' = e.id)
		LIMIT 10000);
	GET DIAGNOSTICS events = ROW_COUNT;
	RETURN json_build_object('messages', messages, 'events', events);
END
$$;
