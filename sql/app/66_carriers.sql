-- Carriers, how long they take, and when nobody works. Rows that are there already are the owner's and stay as they are; what is not
-- wanted is switched off (enabled), because a deleted row would come back.
INSERT INTO shop.carriers (code, name, tracking_url, saturday, express) VALUES
	('colissimo', 'Colissimo', 'https://www.laposte.fr/outils/suivre-vos-envois?code={number}', true, false),
	('chronopost', 'Chronopost', 'https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}', false, true),
	('mondial-relay', 'Mondial Relay', 'https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition={number}', false, false),
	('geodis', 'Geodis', 'https://espace-client.geodis.com/services/destinataires/#/find-parcel?number={number}', false, false),
	('dhl', 'DHL', 'https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}', true, false),
	('ups', 'UPS', 'https://www.ups.com/track?tracknum={number}', false, true),
	('dpd', 'DPD', 'https://www.dpdgroup.com/nl/mydpd/my-parcels/track?parcelNumber={number}', false, false),
	('gls', 'GLS', 'https://gls-group.eu/track/{number}', false, false),
	('fedex', 'FedEx', 'https://www.fedex.com/fedextrack/?trknbr={number}', false, true),
	('royal-mail', 'Royal Mail', 'https://www.royalmail.com/track-your-item#/tracking-results/{number}', true, false),
	('correos', 'Correos', 'https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={number}', false, false),
	('deutsche-post', 'Deutsche Post', 'https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={number}', true, false)
ON CONFLICT DO NOTHING;

-- From metropolitan France. Postal prefixes: Corsica (20), overseas departments (97), the Balearic and Canary Islands (07, 35, 38).
INSERT INTO shop.carrier_transit (carrier, country, postal_prefix, min_days, max_days)
SELECT v.carrier, v.country, v.prefix, v.d1, v.d2 FROM (VALUES
	('colissimo', 'FR', '', 2, 3), ('colissimo', 'FR', '20', 3, 5), ('colissimo', 'FR', '97', 7, 12), ('colissimo', 'MC', '', 2, 3),
	('colissimo', 'BE', '', 3, 5), ('colissimo', 'LU', '', 3, 5), ('colissimo', 'DE', '', 3, 6), ('colissimo', 'ES', '', 4, 7), ('colissimo', 'IT', '', 4, 7),
	('colissimo', 'NL', '', 3, 5), ('colissimo', 'PT', '', 4, 8), ('colissimo', 'AT', '', 4, 6), ('colissimo', 'CH', '', 4, 7), ('colissimo', 'GB', '', 4, 8),
	('colissimo', 'IE', '', 5, 8), ('colissimo', 'US', '', 7, 12), ('colissimo', 'CA', '', 7, 12),
	('chronopost', 'FR', '', 1, 1), ('chronopost', 'FR', '20', 1, 2), ('chronopost', 'FR', '97', 3, 5), ('chronopost', 'BE', '', 1, 2), ('chronopost', 'DE', '', 1, 2),
	('chronopost', 'ES', '', 2, 3), ('chronopost', 'IT', '', 2, 3), ('chronopost', 'NL', '', 1, 2), ('chronopost', 'LU', '', 1, 2), ('chronopost', 'GB', '', 2, 4),
	('mondial-relay', 'FR', '', 3, 5), ('mondial-relay', 'BE', '', 4, 6), ('mondial-relay', 'ES', '', 5, 7), ('mondial-relay', 'NL', '', 4, 6), ('mondial-relay', 'LU', '', 4, 6),
	('geodis', 'FR', '', 4, 7), ('geodis', 'FR', '20', 7, 12), ('geodis', 'BE', '', 5, 9), ('geodis', 'DE', '', 6, 10), ('geodis', 'ES', '', 7, 11), ('geodis', 'LU', '', 5, 9),
	('dhl', 'FR', '', 1, 3), ('dhl', 'DE', '', 2, 3), ('dhl', 'AT', '', 2, 4), ('dhl', 'CH', '', 3, 5), ('dhl', 'BE', '', 2, 3), ('dhl', 'NL', '', 2, 3), ('dhl', 'ES', '', 3, 5),
	('dhl', 'ES', '07', 4, 7), ('dhl', 'ES', '35', 6, 10), ('dhl', 'ES', '38', 6, 10), ('dhl', 'IT', '', 3, 5), ('dhl', 'GB', '', 3, 6), ('dhl', 'PT', '', 3, 6), ('dhl', 'US', '', 4, 7),
	('ups', 'FR', '', 1, 2), ('ups', 'DE', '', 1, 3), ('ups', 'BE', '', 1, 2), ('ups', 'ES', '', 2, 4), ('ups', 'IT', '', 2, 4), ('ups', 'GB', '', 2, 4), ('ups', 'US', '', 3, 6),
	('dpd', 'FR', '', 2, 3), ('dpd', 'DE', '', 3, 4), ('dpd', 'BE', '', 2, 3), ('dpd', 'ES', '', 3, 5), ('dpd', 'GB', '', 4, 6),
	('gls', 'FR', '', 1, 3), ('gls', 'DE', '', 2, 4), ('gls', 'BE', '', 2, 3), ('gls', 'ES', '', 3, 5), ('gls', 'IT', '', 3, 5),
	('fedex', 'FR', '', 1, 2), ('fedex', 'DE', '', 1, 3), ('fedex', 'GB', '', 2, 4), ('fedex', 'US', '', 3, 5),
	('royal-mail', 'GB', '', 2, 4), ('correos', 'ES', '', 2, 4), ('deutsche-post', 'DE', '', 2, 4)) AS v(carrier, country, prefix, d1, d2)
  JOIN shop.carriers c ON c.code = v.carrier
ON CONFLICT DO NOTHING;

-- National holidays. Regional ones are the owner's to add.
INSERT INTO shop.holidays (country, name, month, day)
SELECT c, n, m, d FROM (VALUES
	('FR BE LU DE AT CH NL ES IT PT GB IE US MC CA', 'New Year''s Day', 1, 1), ('FR BE LU DE AT ES IT PT MC', 'Labour Day', 5, 1),
	('FR', 'Victory in Europe Day', 5, 8), ('FR', 'Bastille Day', 7, 14), ('FR BE LU AT ES IT PT MC', 'Assumption', 8, 15), ('FR BE LU AT ES IT PT MC', 'All Saints', 11, 1),
	('FR BE', 'Armistice', 11, 11), ('FR BE LU DE AT CH NL ES IT PT GB IE US MC CA', 'Christmas Day', 12, 25), ('LU DE AT CH NL IT GB IE CA', 'Second Christmas Day', 12, 26),
	('BE', 'National Day', 7, 21), ('LU', 'Europe Day', 5, 9), ('LU', 'National Day', 6, 23), ('DE', 'German Unity Day', 10, 3), ('AT ES IT', 'Epiphany', 1, 6),
	('AT', 'National Day', 10, 26), ('AT ES IT PT MC', 'Immaculate Conception', 12, 8), ('CH', 'National Day', 8, 1), ('NL', 'King''s Day', 4, 27), ('ES', 'National Day', 10, 12),
	('ES', 'Constitution Day', 12, 6), ('IT', 'Liberation Day', 4, 25), ('IT', 'Republic Day', 6, 2), ('PT', 'Freedom Day', 4, 25), ('PT', 'Portugal Day', 6, 10),
	('PT', 'Republic Day', 10, 5), ('PT', 'Independence Day', 12, 1), ('IE', 'Saint Patrick''s Day', 3, 17), ('MC', 'National Day', 11, 19), ('US', 'Juneteenth', 6, 19),
	('US', 'Independence Day', 7, 4), ('US', 'Veterans Day', 11, 11), ('CA', 'Canada Day', 7, 1)) AS v(cs, n, m, d), unnest(string_to_array(v.cs, ' ')) AS c
ON CONFLICT DO NOTHING;
INSERT INTO shop.holidays (country, name, easter_days)
SELECT c, n, d FROM (VALUES
	('DE CH ES PT GB CA', 'Good Friday', -2), ('FR BE LU DE AT CH NL IT GB IE MC', 'Easter Monday', 1), ('FR BE LU DE AT CH NL MC', 'Ascension', 39),
	('FR BE LU DE AT CH NL MC', 'Whit Monday', 50), ('AT PT', 'Corpus Christi', 60)) AS v(cs, n, d), unnest(string_to_array(v.cs, ' ')) AS c
ON CONFLICT DO NOTHING;
INSERT INTO shop.holidays (country, name, month, nth, weekday) VALUES
	('GB', 'Early May Bank Holiday', 5, 1, 1), ('GB', 'Spring Bank Holiday', 5, -1, 1), ('GB', 'Summer Bank Holiday', 8, -1, 1), ('IE', 'May Day', 5, 1, 1),
	('IE', 'June Holiday', 6, 1, 1), ('IE', 'August Holiday', 8, 1, 1), ('IE', 'October Holiday', 10, -1, 1), ('US', 'Martin Luther King Day', 1, 3, 1),
	('US', 'Presidents'' Day', 2, 3, 1), ('US', 'Memorial Day', 5, -1, 1), ('US', 'Labor Day', 9, 1, 1), ('US', 'Columbus Day', 10, 2, 1), ('US', 'Thanksgiving', 11, 4, 4),
	('CA', 'Labour Day', 9, 1, 1), ('CA', 'Thanksgiving', 10, 2, 1)
ON CONFLICT DO NOTHING;

-- A setting of the shop as text.
CREATE OR REPLACE FUNCTION souk.setting(name text, otherwise text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN coalesce((SELECT s.value #>> '{}' FROM souk.settings s WHERE s.key = name), otherwise);
END
$$;

-- Easter Sunday of a year (Meeus, Jones and Butcher's rule for the Gregorian calendar).
CREATE OR REPLACE FUNCTION shop.easter(y integer) RETURNS date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	a integer := y % 19;
	b integer := y / 100;
	c integer := y % 100;
	h integer := (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
	l integer := (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
	m integer := (a + 11 * h + 22 * l) / 451;
	n integer := h + l - 7 * m + 114;
BEGIN
	RETURN make_date(y, n / 31, n % 31 + 1);
END
$$;

-- Does nobody work there on that day?
CREATE OR REPLACE FUNCTION shop.is_holiday(land text, at date) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM shop.holidays h
		WHERE h.country = land AND h.enabled AND (h.on_date = at
			OR h.day = extract(day FROM at) AND h.month = extract(month FROM at)
			OR h.easter_days = at - shop.easter(extract(year FROM at)::integer)
			OR h.month = extract(month FROM at) AND h.weekday = extract(isodow FROM at)
				AND CASE WHEN h.nth > 0 THEN (extract(day FROM at)::integer + 6) / 7 = h.nth
					ELSE extract(month FROM at + 7) <> h.month END));
END
$$;

-- The day so many working days later; 0: that day, or the next working day. saturday: is it one?
CREATE OR REPLACE FUNCTION shop.workdays_add(land text, at date, days integer, saturday boolean) RETURNS date
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	left_over integer := days;
BEGIN
	FOR i IN 0..400 LOOP
		IF extract(isodow FROM at) <= 5 + coalesce(saturday, false)::integer AND NOT shop.is_holiday(land, at) THEN
			EXIT WHEN left_over = 0;
			left_over := left_over - 1;
		END IF;
		at := at + 1;
	END LOOP;
	RETURN at;
END
$$;

-- The carrier's row for what is written on a shipment: its code or its name.
CREATE OR REPLACE FUNCTION shop.carrier_find(wanted text) RETURNS shop.carriers
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	found_one shop.carriers;
BEGIN
	SELECT * INTO found_one FROM shop.carriers c
	 WHERE c.code = souk.slug(wanted) OR souk.fold(c.name) = souk.fold(wanted) ORDER BY c.code = souk.slug(wanted) DESC LIMIT 1;
	RETURN found_one;
END
$$;

-- Where a parcel can be followed: the address on the shipment, else the carrier's pattern.
CREATE OR REPLACE FUNCTION shop.tracking_url(s shop.shipments) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	pattern text := (shop.carrier_find(s.carrier)).tracking_url;
BEGIN
	RETURN coalesce(s.tracking_url, replace(pattern, '{number}', regexp_replace(s.tracking_number, '[^A-Za-z0-9-]', '', 'g')));
END
$$;

-- How long a carrier takes to a place; the carrier of NULL is the shop's own choice, else the best that goes there. NULLs: nobody goes there.
CREATE OR REPLACE FUNCTION shop.transit(wanted text, land text, postal text, OUT carrier text, OUT saturday boolean, OUT soonest integer,
	OUT latest_days integer)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	choice text := (shop.carrier_find(coalesce(wanted, souk.setting('shop.carrier', 'colissimo')))).code;
BEGIN
	SELECT c.name, c.saturday, t.min_days, t.max_days INTO carrier, saturday, soonest, latest_days
	  FROM shop.carrier_transit t JOIN shop.carriers c ON c.code = t.carrier
	 WHERE t.country = land AND (c.enabled OR c.code = choice) AND (wanted IS NULL OR choice IS NULL OR c.code = choice)
	   AND postal LIKE t.postal_prefix || '%'
	 ORDER BY c.code = choice DESC NULLS LAST, c.express, length(t.postal_prefix) DESC, t.max_days, c.code LIMIT 1;
END
$$;

-- When an order leaves the shop: the working day of payment (before the cut-off hour, else the next), and as many further ones as the shop
-- needs; never a day that is over.
CREATE OR REPLACE FUNCTION shop.hand_over(since timestamptz, zone text) RETURNS date
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	land text := souk.setting('shop.country', 'FR');
	cutoff time := souk.setting('shop.cutoff', '14:00')::time;
	begun timestamp := since AT TIME ZONE zone;
	today timestamp := now() AT TIME ZONE zone;
BEGIN
	RETURN greatest(
		shop.workdays_add(land, shop.workdays_add(land, begun::date + (begun::time >= cutoff)::integer, 0, false),
			souk.setting('shop.handling_days', '1')::integer, false),
		shop.workdays_add(land, today::date + (today::time >= cutoff)::integer, 0, false));
END
$$;

-- When an order arrives: {basis, carrier, country, postalCode, handOver, earliest, latest, deliveredAt, timeZone, cutOff}, dates of the shop's
-- time zone. basis: delivered, shipped (counted from the hand-over) or planned.
CREATE OR REPLACE FUNCTION shop.delivery(o shop.orders, postal text) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	zone text := souk.setting('shop.timezone', 'Europe/Paris');
	land text := upper(coalesce(nullif(o.shipping_address->>'country', ''), souk.setting('shop.country', 'FR')));
	place text := regexp_replace(upper(coalesce(postal, o.shipping_address->>'postcode', o.shipping_address->>'postalCode', '')), '[^A-Z0-9]', '', 'g');
	open boolean := o.status NOT IN ('DELIVERED', 'CANCELLED');
	parcel shop.shipments;
	way record;
	leaves date;
BEGIN
	SELECT * INTO parcel FROM shop.shipments s WHERE s.order_id = o.id ORDER BY s.id DESC LIMIT 1;
	SELECT * INTO way FROM shop.transit(parcel.carrier, land, place);
	IF way.soonest IS NULL AND parcel.id IS NOT NULL THEN    -- it is on its way with somebody who is not in the tables
		SELECT * INTO way FROM shop.transit(NULL, land, place);
	END IF;
	IF way.soonest IS NULL AND open THEN
		PERFORM souk.fail('SK404', format('no carrier of this shop delivers to %s %s', left(land, 2), left(place, 12)));
	END IF;
	leaves := CASE WHEN o.shipped_at IS NOT NULL THEN (o.shipped_at AT TIME ZONE zone)::date
		ELSE shop.hand_over(coalesce(o.paid_at, CASE o.status WHEN 'PENDING' THEN now() END, o.created_at), zone) END;
	RETURN json_build_object(
		'basis', CASE WHEN o.status = 'DELIVERED' THEN 'delivered' WHEN o.shipped_at IS NOT NULL THEN 'shipped' ELSE 'planned' END,
		'carrier', coalesce(parcel.carrier, way.carrier),
		'country', land, 'postalCode', nullif(place, ''), 'handOver', leaves,
		'earliest', CASE WHEN open THEN shop.workdays_add(land, shop.workdays_add(land, leaves, 0, way.saturday), way.soonest, way.saturday) END,
		'latest', CASE WHEN open THEN shop.workdays_add(land, shop.workdays_add(land, leaves, 0, way.saturday), way.latest_days, way.saturday) END,
		'deliveredAt', souk.rfc3339(o.delivered_at), 'timeZone', zone, 'cutOff', souk.setting('shop.cutoff', '14:00'));
END
$$;

-- The same where nobody may deliver there: NULL then.
CREATE OR REPLACE FUNCTION shop.delivery_known(o shop.orders) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN shop.delivery(o, NULL);
EXCEPTION WHEN SQLSTATE 'SK404' THEN
	RETURN NULL;
END
$$;
