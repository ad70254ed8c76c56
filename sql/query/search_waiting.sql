-- -> how many changed products wait to be indexed for search.
SELECT count(*) FROM shop.search_queue
