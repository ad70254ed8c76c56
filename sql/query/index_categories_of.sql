-- The categories of the products $1 (an array as text) and those above them, parents first.
SELECT id, parent_id, slug, name, names FROM shop.search_categories WHERE id IN (
	SELECT unnest(c.path_ids) FROM shop.products p JOIN shop.categories c ON c.id = p.category_id WHERE p.id = ANY ($1::bigint[]))
