-- Whoever subscribed to a resource is told when it changes: channel souk_changes carries URIs of resources. A statement
-- that touches many rows names the family, 'souk://products/*', instead of each.

CREATE OR REPLACE FUNCTION souk.tell_change(family text, keys text[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF cardinality(keys) > 20 OR EXISTS (SELECT FROM unnest(keys) k WHERE length(k) > 200) THEN
		PERFORM pg_notify('souk_changes', family || '*');
	ELSE
		PERFORM pg_notify('souk_changes', family || k) FROM unnest(keys) k;
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION shop.products_tell() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
	slugs text[];
	featured boolean;
BEGIN
	SELECT array_agg(slug), bool_or(c.featured) INTO slugs, featured FROM (SELECT * FROM changed LIMIT 21) c;
	IF slugs IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM souk.tell_change('souk://products/', slugs);
	IF cardinality(slugs) <= 20 THEN
		PERFORM souk.tell_change('souk://products/', ARRAY['catalog'] || CASE WHEN featured THEN ARRAY['featured'] ELSE '{}' END);
	END IF;
	IF TG_OP <> 'UPDATE' THEN
		PERFORM pg_notify('souk_changes', 'souk://categories/*');
	END IF;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS products_tell_insert ON shop.products;
CREATE TRIGGER products_tell_insert AFTER INSERT ON shop.products
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.products_tell();
DROP TRIGGER IF EXISTS products_tell_update ON shop.products;
CREATE TRIGGER products_tell_update AFTER UPDATE ON shop.products
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.products_tell();
DROP TRIGGER IF EXISTS products_tell_delete ON shop.products;
CREATE TRIGGER products_tell_delete AFTER DELETE ON shop.products
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.products_tell();

CREATE OR REPLACE FUNCTION shop.categories_tell() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_notify('souk_changes', 'souk://products/categories'), pg_notify('souk_changes', 'souk://categories/*');
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS categories_tell ON shop.categories;
CREATE TRIGGER categories_tell AFTER INSERT OR UPDATE OR DELETE ON shop.categories
	FOR EACH STATEMENT EXECUTE FUNCTION shop.categories_tell();

-- Only numbers leave; what an order holds is read under the reader's own rights.
CREATE OR REPLACE FUNCTION shop.orders_tell() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM souk.tell_change('souk://orders/', array_agg(number)) FROM (SELECT number FROM changed LIMIT 21) c
	 HAVING count(*) > 0;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS orders_tell ON shop.orders;
CREATE TRIGGER orders_tell AFTER UPDATE ON shop.orders
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.orders_tell();
