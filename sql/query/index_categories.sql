-- All categories, parents first.
SELECT id, parent_id, slug, name, names FROM shop.search_categories
