-- All products for the search index, in the order of their ids.
COPY (SELECT * FROM shop.search_rows ORDER BY id) TO STDOUT
