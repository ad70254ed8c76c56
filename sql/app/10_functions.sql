-- Small functions that everything else uses.

-- Raise an error whose text the caller may see. Class SK maps to HTTP by its digits: SK400, SK404, SK409, ...
CREATE OR REPLACE FUNCTION souk.fail(state text, message text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message;
END
$$;

-- Digits after the decimal point of an ISO 4217 currency. Not SQL on purpose: it must not be inlined into every product.
CREATE OR REPLACE FUNCTION souk.money_scale(currency text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	IF currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
		'XAF', 'XOF', 'XPF') THEN
		RETURN 0;
	ELSIF currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN
		RETURN 3;
	ELSIF currency IN ('CLF', 'UYW') THEN
		RETURN 4;
	END IF;
	RETURN 2;
END
$$;

-- 14990, EUR -> 149.90; 1500, JPY -> 1500; 1500, KWD -> 1.500. Exact: no floating point anywhere.
CREATE OR REPLACE FUNCTION souk.money(minor bigint, currency text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
	WHEN currency = 'EUR' THEN minor * 0.01
	ELSE round(minor / 10::numeric ^ souk.money_scale(currency), souk.money_scale(currency)) END
$$;

-- The reverse, rounded half away from zero to the currency's scale.
CREATE OR REPLACE FUNCTION souk.minor(amount numeric, currency text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT round(amount * (10::numeric ^ souk.money_scale(currency)))::bigint $$;

-- 2025-06-09T10:30:00Z
CREATE OR REPLACE FUNCTION souk.rfc3339(t timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;

-- The speaker, as the program has set it for this transaction.
CREATE OR REPLACE FUNCTION souk.sees_all() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(current_setting('souk.kind', true) IN ('staff', 'service', 'system'), false) $$;

-- souk itself, for nobody's account: log-ins, deliveries, housekeeping.
CREATE OR REPLACE FUNCTION souk.is_system() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(current_setting('souk.kind', true) = 'system', false) $$;

-- The customer who speaks; NULL for everybody else, and for an id that is no number.
CREATE OR REPLACE FUNCTION souk.me() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT CASE
	WHEN current_setting('souk.kind', true) = 'customer'
		AND current_setting('souk.customer_id', true) ~ '^[0-9]{1,18}$'
	THEN current_setting('souk.customer_id', true)::bigint END
$$;

-- The order that whoever speaks has proven to be theirs with its number, its e-mail address and a code that was sent there; NULL for everybody else. A customer
-- may have proven one beside the orders of their own.
CREATE OR REPLACE FUNCTION souk.my_order() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT CASE
	WHEN current_setting('souk.kind', true) IN ('guest', 'customer')
		AND current_setting('souk.order_id', true) ~ '^[0-9]{1,18}$'
	THEN current_setting('souk.order_id', true)::bigint END
$$;

-- The visitor whose signed handle came with the call (of a basket), whoever else speaks; NULL without one.
CREATE OR REPLACE FUNCTION souk.visitor() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('souk.visitor', true), '') $$;

-- The language to answer in: the argument, else the speaker's, else French.
CREATE OR REPLACE FUNCTION souk.locale(wanted text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(wanted, nullif(current_setting('souk.locale', true), ''), 'fr') $$;

-- The same for statements that run for nobody: they are given the speaker's language.
CREATE OR REPLACE FUNCTION souk.locale(wanted text, spoken text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(wanted, nullif(spoken, ''), 'fr') $$;

-- A row number to start at, from the cursor that the previous page returned. Cursors are opaque to callers.
CREATE OR REPLACE FUNCTION souk.cursor_offset(cursor text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT CASE
	WHEN cursor IS NULL THEN 0
	WHEN cursor ~ '^o[0-9]{1,5}$' THEN substr(cursor, 2)::integer
	WHEN souk.fail('SK400', 'cursor: not one that this tool returned') THEN 0 END
$$;
