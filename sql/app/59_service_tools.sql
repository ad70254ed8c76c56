-- What the tools of customer service look up.

-- The orders of an inquiry. args: email, orderNumber, productName; who sees all has to say which.
CREATE OR REPLACE FUNCTION shop.support_orders(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	mail text := lower(trim(args->>'email'));
	number_text text := trim(args->>'orderNumber');
	words text := '%' || replace(replace(replace(souk.fold(trim(args->>'productName')), '\', '\\'), '%', '\%'), '_', '\_') || '%';
	whose bigint[];
	result json;
BEGIN
	IF souk.sees_all() AND num_nonnulls(mail, number_text, words) = 0 THEN
		PERFORM souk.fail('SK400', 'email, orderNumber or productName is needed');
	END IF;
	whose := ARRAY(SELECT c.id FROM shop.customers c WHERE lower(c.email) = mail);
	WITH hit AS MATERIALIZED (
		SELECT o.* FROM shop.orders o
		 WHERE (number_text IS NULL OR o.number IN (number_text, upper(number_text)))
		   AND (mail IS NULL OR lower(o.email) = mail OR o.customer_id = ANY (whose))
		   AND (words IS NULL OR EXISTS (SELECT FROM shop.order_items i WHERE i.order_id = o.id AND (souk.fold(i.name) LIKE words OR lower(i.sku) = lower(trim(args->>'productName')))))
		 ORDER BY o.created_at DESC, o.id DESC LIMIT 1000
	)
	SELECT json_build_object('orders', coalesce((SELECT json_agg(json_strip_nulls(json_build_object(
			'orderId', h.id::text,
			'orderNumber', h.number,
			'status', h.status,
			'currency', h.currency,
			'total', souk.money(h.total_minor, h.currency),
			'itemCount', h.item_count,
			'customerName', coalesce(nullif((SELECT c.name FROM shop.customers c WHERE c.id = h.customer_id), ''), h.shipping_address->>'name'),
			'email', coalesce((SELECT c.email FROM shop.customers c WHERE c.id = h.customer_id), h.email),
			'items', (SELECT coalesce(json_agg(json_build_object('orderItemId', i.id::text, 'productId', i.product_id::text, 'sku', i.sku, 'name', i.name,
					'quantity', i.quantity, 'total', souk.money(i.total_minor, h.currency)) ORDER BY i.position, i.id), '[]')
				  FROM (SELECT x.* FROM shop.order_items x WHERE x.order_id = h.id ORDER BY x.position, x.id LIMIT 50) i),
			'shipments', (SELECT coalesce(json_agg(json_build_object('carrier', s.carrier, 'trackingNumber', s.tracking_number, 'status', s.status) ORDER BY s.id), '[]')
				  FROM shop.shipments s WHERE s.order_id = h.id),
			'openReturns', (SELECT count(*) FROM shop.returns r WHERE r.order_id = h.id AND r.status IN ('REQUESTED', 'APPROVED', 'RECEIVED')),
			'openTickets', (SELECT count(*) FROM shop.tickets t WHERE t.order_id = h.id AND t.status IN ('open', 'waiting')),
			'createdAt', souk.rfc3339(h.created_at),
			'deliveredAt', souk.rfc3339(h.delivered_at))) ORDER BY h.created_at DESC, h.id DESC)
		  FROM (SELECT * FROM hit ORDER BY created_at DESC, id DESC LIMIT 10) h), '[]'), 'total', (SELECT count(*) FROM hit)) INTO result;
	RETURN result;
END
$$;

-- An order that is asked for by somebody who is nobody: say what is missing, not that there is none.
CREATE OR REPLACE FUNCTION shop.support_need_speaker() RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF coalesce(current_setting('souk.kind', true), '') IN ('', 'anonymous', 'visitor') THEN
		PERFORM souk.fail('SK401', 'orderId: log in first, or prove the order by its number and e-mail address');
	END IF;
END
$$;

-- args: productCategory, orderAge, orderId, country, locale.
CREATE OR REPLACE FUNCTION shop.support_return_policy(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	o shop.orders;
	category bigint;
	age integer := floor((args->>'orderAge')::numeric);
	answer json;
BEGIN
	IF args->>'orderId' IS NOT NULL THEN
		PERFORM shop.support_need_speaker();
		o := shop.order_for_speaker(args->>'orderId');
		age := coalesce(age, (now() AT TIME ZONE 'UTC')::date - (o.created_at AT TIME ZONE 'UTC')::date);
		category := (SELECT max(p.category_id) FROM shop.order_items i JOIN shop.products p ON p.id = i.product_id WHERE i.order_id = o.id
			HAVING count(DISTINCT p.category_id) = 1);
	END IF;
	IF args->>'productCategory' IS NOT NULL THEN
		category := shop.category_find(args->>'productCategory');
	END IF;
	answer := shop.return_policy_json(category, coalesce(upper(args->>'country'), nullif(upper(o.shipping_address->>'country'), '')), age,
		souk.locale(args->>'locale'));
	IF answer IS NOT NULL AND o.id IS NOT NULL THEN
		answer := (answer::jsonb || jsonb_build_object('orderNumber', o.number))::json;
	END IF;
	RETURN answer;
END
$$;

-- A way of delivery as the shipping policy has it: {"name": {"en": ...} or "...", "price": 4.90, ...}.
CREATE OR REPLACE FUNCTION shop.shipping_method(m jsonb, locale text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
SELECT jsonb_build_object(
	'name', CASE jsonb_typeof(m->'name') WHEN 'object' THEN coalesce(m->'name'->>locale, m->'name'->>'en', (SELECT min(x.value) FROM jsonb_each_text(m->'name') x))
		ELSE coalesce(m->>'name', '') END,
	'price', (m->>'price')::numeric, 'currency', m->>'currency', 'freeFrom', (m->>'freeFrom')::numeric,
	'minDays', (m->>'minDays')::integer, 'maxDays', (m->>'maxDays')::integer, 'carrier', m->>'carrier')
$$;

-- The ways of delivery to a country: details.methods of the policy. What baskets charge there (shop.shipping_rates) is the price of the first.
CREATE OR REPLACE FUNCTION shop.shipping_methods(policy bigint, country text, locale text) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	currency text := coalesce((SELECT s.value #>> '{}' FROM souk.settings s WHERE s.key = 'shop.currency'), 'EUR');
	rate shop.shipping_rates;
	methods jsonb := coalesce((SELECT jsonb_agg(shop.shipping_method(m.v, shipping_methods.locale) ORDER BY m.place)
		  FROM shop.policies p, jsonb_array_elements(CASE WHEN jsonb_typeof(p.details->'methods') = 'array' THEN p.details->'methods' ELSE '[]' END)
			WITH ORDINALITY AS m(v, place)
		 WHERE p.id = policy), '[]');
BEGIN
	IF EXISTS (SELECT FROM shop.shipping_rates) THEN
		rate := shop.shipping_rate(country, currency);
		IF rate.id IS NULL THEN
			RETURN '[]';
		END IF;
		methods := jsonb_build_array(coalesce(methods->0, '{}') || jsonb_build_object('name', coalesce(rate.names->>locale, rate.name),
			'price', souk.money(rate.price_minor, rate.currency), 'currency', rate.currency, 'freeFrom', souk.money(rate.free_from_minor, rate.currency)))
			|| (methods - 0);
	END IF;
	RETURN (SELECT coalesce(json_agg(jsonb_strip_nulls(m.v) ORDER BY m.place), '[]') FROM jsonb_array_elements(methods) WITH ORDINALITY AS m(v, place));
END
$$;

-- args: orderId, trackingNumber, country, locale.
CREATE OR REPLACE FUNCTION shop.support_shipping(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	lang text := souk.locale(args->>'locale');
	o shop.orders;
	place text := upper(args->>'country');
	policy bigint;
	said shop.policy_texts;
BEGIN
	IF num_nonnulls(args->>'orderId', args->>'trackingNumber') > 0 THEN
		PERFORM shop.support_need_speaker();
	END IF;
	IF args->>'orderId' IS NOT NULL THEN
		o := shop.order_for_speaker(args->>'orderId');
	ELSIF args->>'trackingNumber' IS NOT NULL THEN
		SELECT x.* INTO o FROM shop.orders x JOIN shop.shipments s ON s.order_id = x.id
		 WHERE s.tracking_number = trim(args->>'trackingNumber') AND shop.order_is_mine(x) ORDER BY s.id DESC LIMIT 1;
		IF o.id IS NULL THEN
			PERFORM souk.fail('SK404', 'trackingNumber: there is no such parcel');
		END IF;
	END IF;
	place := coalesce(place, nullif(upper(o.shipping_address->>'country'), ''), shop.home_country());
	policy := shop.policy_for('shipping', place, NULL, NULL, (now() AT TIME ZONE 'UTC')::date);
	said := shop.policy_text(policy, lang);
	RETURN json_strip_nulls(json_build_object(
		'orderId', o.id::text,
		'orderNumber', o.number,
		'status', o.status,
		'shipments', CASE WHEN o.id IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_object('carrier', s.carrier, 'trackingNumber', s.tracking_number,
				'trackingUrl', s.tracking_url, 'status', s.status, 'shippedAt', souk.rfc3339(s.shipped_at), 'estimatedAt', souk.rfc3339(s.estimated_at),
				'deliveredAt', souk.rfc3339(s.delivered_at), 'events', s.events) ORDER BY s.id), '[]')
			  FROM shop.shipments s WHERE s.order_id = o.id
			   AND (args->>'orderId' IS NOT NULL OR s.tracking_number = trim(args->>'trackingNumber'))) END,
		'shippingAddress', CASE WHEN o.id IS NOT NULL THEN json_build_object('city', o.shipping_address->>'city', 'postcode', o.shipping_address->>'postcode',
			'country', o.shipping_address->>'country') END,
		'country', place,
		'title', said.title,
		'text', said.body,
		'locale', said.lang,
		'methods', shop.shipping_methods(policy, place, lang)));
END
$$;
