-- Index up to $1 changed products for search -> how many it were.
SELECT shop.search_refresh($1::integer)
