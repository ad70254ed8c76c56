-- Rows of a file on their way to the catalogue: the columns of enum field (lib/shop/item.h) in its order. has tells which of them the file
-- speaks of, bit 1 << field. Texts are not compressed for so short a stay.
CREATE TEMPORARY TABLE import_row (
	n integer NOT NULL, line bigint NOT NULL, variant boolean NOT NULL, derive boolean NOT NULL, crowded boolean NOT NULL,
	has integer NOT NULL, slug_hint text,
	reference text COLLATE "C",
	sku text COLLATE "C", parent text COLLATE "C", name text, lang text, slug text, brand text, colour text, category text, description text,
	price_minor bigint, sale_price_minor bigint, currency text, stock integer, featured boolean, status text, rating_avg numeric(3, 2),
	rating_count integer, names jsonb, colours jsonb, descriptions jsonb, images jsonb, attributes jsonb, options jsonb, position smallint)
