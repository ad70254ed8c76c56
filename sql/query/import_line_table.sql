-- Lines of an order file, all of them, before any is written: the lines of one order may be anywhere. The columns of enum order_field
-- (lib/shop/order.h) in its order; has tells which of them the file speaks of, bit 1 << field.
CREATE TEMPORARY TABLE import_line (
	n integer NOT NULL, line bigint NOT NULL, has integer NOT NULL, number text COLLATE "C" NOT NULL, placed_at timestamptz, status text,
	currency text, customer text, customer_email text, customer_name text, email text, sku text COLLATE "C", name text, quantity integer,
	unit_price_minor bigint, options jsonb, discount_minor bigint, shipping_minor bigint, tax_minor bigint, paid_at timestamptz,
	shipped_at timestamptz, delivered_at timestamptz, cancelled_at timestamptz, cancel_reason text, charge_code text, channel text,
	address jsonb)
