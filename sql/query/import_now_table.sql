-- The orders that are being written: c create, u update, s leave as it is.
CREATE TEMPORARY TABLE import_now (
	b bigint PRIMARY KEY, number text COLLATE "C" NOT NULL, id bigint, customer_id bigint, action "char" NOT NULL)
