-- The products of these ids (an array as text) for the search index.
SELECT * FROM shop.search_rows WHERE id = ANY ($1::bigint[]) ORDER BY id
