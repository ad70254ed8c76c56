-- What the search index is built from (souk index) and how it learns of changes.

-- One row for each product that can be found. Columns in the order of enum build_col (lib/search/build.h).
CREATE OR REPLACE VIEW shop.search_rows AS
SELECT p.id, p.sku, p.lang, p.name, p.names::text AS names, p.brand, p.colour, p.colours::text AS colours, p.category_id,
	left(p.description, 20000) AS description, p.descriptions::text AS descriptions, p.attributes::text AS attributes,
	coalesce(p.sale_price_minor, p.price_minor) AS pays, p.currency, p.stock, (p.rating_avg * 100)::integer AS rating, p.rating_count,
	p.featured, floor(extract(epoch FROM p.created_at))::bigint AS created, p.sold_count
  FROM shop.products p WHERE p.status = 'active';

-- Parents before children, each with what is below it next: enum build_category_col.
CREATE OR REPLACE VIEW shop.search_categories AS
SELECT c.id, c.parent_id, c.slug, c.name, c.names::text AS names FROM shop.categories c ORDER BY c.path_ids;

-- The triggers write for whoever changes the catalogue, whatever else that role may do.
CREATE OR REPLACE FUNCTION shop.search_note_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO shop.search_changes (product_id) SELECT id FROM changed ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS products_note_inserted ON shop.products;
CREATE TRIGGER products_note_inserted AFTER INSERT ON shop.products
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.search_note_changed();
DROP TRIGGER IF EXISTS products_note_updated ON shop.products;
CREATE TRIGGER products_note_updated AFTER UPDATE ON shop.products
	REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.search_note_changed();
DROP TRIGGER IF EXISTS products_note_deleted ON shop.products;
CREATE TRIGGER products_note_deleted AFTER DELETE ON shop.products
	REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION shop.search_note_changed();

-- A category that gets another name or place changes all products below it.
CREATE OR REPLACE FUNCTION shop.search_note_category() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO shop.search_changes (product_id) SELECT id FROM shop.products WHERE category_id = NEW.id ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS categories_note_changed ON shop.categories;
CREATE TRIGGER categories_note_changed AFTER UPDATE ON shop.categories
	FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path OR OLD.paths IS DISTINCT FROM NEW.paths OR OLD.slug IS DISTINCT FROM NEW.slug
		OR OLD.path_ids IS DISTINCT FROM NEW.path_ids)
	EXECUTE FUNCTION shop.search_note_category();
