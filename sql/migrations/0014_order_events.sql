-- What happens to an order after it was placed: which step may follow which, who took it and why, what customer and shop wrote to each
-- other, how parcels travel; and what staff change in the catalogue: drafts, stock with a reason, files that wait to be imported.

-- The only steps there are (shop.order_move). customer: the buyer may take it too, not only staff and the shop itself.
CREATE TABLE shop.order_transitions (
	from_status text NOT NULL,
	to_status text NOT NULL,
	customer boolean NOT NULL DEFAULT false,
	PRIMARY KEY (from_status, to_status)
);
INSERT INTO shop.order_transitions (from_status, to_status, customer) VALUES
	('PENDING', 'PROCESSING', false), ('PENDING', 'PAID', false), ('PENDING', 'CANCELLED', true),
	('PROCESSING', 'PAID', false), ('PROCESSING', 'SHIPPED', false), ('PROCESSING', 'CANCELLED', true),
	('PAID', 'PROCESSING', false), ('PAID', 'SHIPPED', false), ('PAID', 'CANCELLED', true),
	('SHIPPED', 'DELIVERED', false);

-- How many units of a line are taken out of stock. Whoever takes them says so here; cancelling puts exactly these back.
ALTER TABLE shop.order_items ADD stock_taken integer NOT NULL DEFAULT 0 CHECK (stock_taken >= 0);

CREATE TABLE shop.order_events (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL REFERENCES shop.orders ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	kind text NOT NULL DEFAULT 'status' CHECK (kind IN ('status', 'shipment', 'tracking', 'refund', 'note')),
	from_status text,
	to_status text,
	actor_kind text NOT NULL,                        -- souk.kind of who did it
	actor text NOT NULL,                             -- name of the token, customer:12, guest, system
	reason text NOT NULL DEFAULT '',
	data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(data) = 'object')
);
CREATE INDEX order_events_order ON shop.order_events (order_id, id);

-- Customer and shop write to each other about an order.
CREATE TABLE shop.order_messages (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL REFERENCES shop.orders ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	read_at timestamptz,                             -- when the other side read it first
	from_shop boolean NOT NULL,
	author text NOT NULL,                            -- as in order_events.actor; customers are shown "shop" or "customer"
	body text NOT NULL CHECK (body <> '' AND length(body) <= 4000)
);
CREATE INDEX order_messages_order ON shop.order_messages (order_id, id);
CREATE INDEX order_messages_unread ON shop.order_messages (created_at) WHERE read_at IS NULL AND NOT from_shop;

-- Carriers and how long they take; app/66_carriers.sql fills in common ones and keeps what the owner has changed.
CREATE TABLE shop.carriers (
	code text PRIMARY KEY CHECK (code ~ '^[a-z0-9-]{1,40}$'),
	name text NOT NULL UNIQUE,
	tracking_url text,                               -- with {number}
	saturday boolean NOT NULL DEFAULT false,         -- delivers on Saturdays
	express boolean NOT NULL DEFAULT false,
	enabled boolean NOT NULL DEFAULT true
);
-- Working days from the hand-over to the carrier to the door. The longest postal prefix that fits decides.
CREATE TABLE shop.carrier_transit (
	carrier text NOT NULL REFERENCES shop.carriers ON UPDATE CASCADE ON DELETE CASCADE,
	country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
	postal_prefix text NOT NULL DEFAULT '' CHECK (postal_prefix ~ '^[A-Z0-9]{0,10}$'),
	min_days smallint NOT NULL CHECK (min_days BETWEEN 0 AND 60),
	max_days smallint NOT NULL CHECK (max_days BETWEEN min_days AND 90),
	PRIMARY KEY (carrier, country, postal_prefix)
);
-- Public holidays as rules, so that they hold for every year: a day of a month, days after Easter Sunday, the nth weekday of a month
-- (-1 the last; Monday is 1), or one date, for a day that the shop itself is closed.
CREATE TABLE shop.holidays (
	country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
	name text NOT NULL,
	month smallint CHECK (month BETWEEN 1 AND 12),
	day smallint CHECK (day BETWEEN 1 AND 31),
	easter_days smallint,
	nth smallint CHECK (nth BETWEEN -1 AND 5 AND nth <> 0),
	weekday smallint CHECK (weekday BETWEEN 1 AND 7),
	on_date date,
	enabled boolean NOT NULL DEFAULT true,
	PRIMARY KEY (country, name),
	CHECK ((on_date IS NOT NULL)::integer + (easter_days IS NOT NULL)::integer + (day IS NOT NULL)::integer + (nth IS NOT NULL)::integer = 1),
	CHECK ((month IS NOT NULL) = (day IS NOT NULL OR nth IS NOT NULL) AND (weekday IS NOT NULL) = (nth IS NOT NULL))
);

-- Why stock changed; product rows hold how much there is.
CREATE TABLE shop.stock_moves (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	product_id bigint NOT NULL REFERENCES shop.products ON DELETE CASCADE,
	variant_id bigint REFERENCES shop.product_variants ON DELETE SET NULL,
	order_id bigint REFERENCES shop.orders ON DELETE SET NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	delta integer NOT NULL,
	stock integer NOT NULL,                          -- after it
	reason text NOT NULL,
	actor text NOT NULL
);
CREATE INDEX stock_moves_product ON shop.stock_moves (product_id, id);
CREATE INDEX stock_moves_order ON shop.stock_moves (order_id) WHERE order_id IS NOT NULL;

-- Products that are being written: seen by staff only.
ALTER TABLE shop.products DROP CONSTRAINT products_status_check,
	ADD CONSTRAINT products_status_check CHECK (status IN ('active', 'draft', 'deleted'));
ALTER TABLE shop.products ADD low_stock integer CHECK (low_stock >= 0); -- warn at or below; NULL: the setting shop.low_stock

-- Files that were looked at and wait for the word to import them.
CREATE TABLE souk.uploads (
	id text PRIMARY KEY CHECK (id ~ '^up_[0-9a-z]{8,64}$'),
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	imported_at timestamptz,
	actor text NOT NULL,                             -- only who brought it may import it
	name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
	body bytea NOT NULL,
	options jsonb NOT NULL DEFAULT '{}',
	report jsonb                                     -- of the dry run
);
CREATE INDEX uploads_expires ON souk.uploads (expires_at);

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['shop.order_events', 'shop.order_messages'] LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;
