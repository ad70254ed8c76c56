-- What people searched, for the owner: one row for each day (UTC) and query. Queries are compared without regard to case and blanks. Completions while
-- typing are not counted. no_result counts searches that found nothing; results is the mean number of products found; clicks counts products that were
-- opened from a result, clicked searches with at least one, place is the mean place of what was opened. Row-level security of souk.interactions and
-- souk.search_clicks holds: staff and system see all.
CREATE OR REPLACE VIEW souk.search_queries AS
SELECT day, query, count(*) AS searches, count(*) FILTER (WHERE total = 0) AS no_result, round(avg(total), 1) AS results,
	coalesce(sum(k.clicks), 0)::bigint AS clicks, count(k.clicks) AS clicked, round(sum(k.places) / sum(k.clicks), 1) AS place
  FROM (SELECT (created_at AT TIME ZONE 'UTC')::date AS day,
		-- a record that was cut is no longer JSON; arguments of that length have no query worth reading
		CASE WHEN length(input) < 10000 THEN lower(btrim(regexp_replace(input::jsonb->>'query', '\s+', ' ', 'g'))) END AS query,
		substring(output FROM '"total": ?([0-9]{1,15})')::bigint AS total, metadata->>'correlationId' AS search_id
	  FROM souk.interactions
	 WHERE type = 'SEARCH' AND success AND tool IN ('search_products', 'customers_search', 'ai_search')) s
  LEFT JOIN (SELECT search_id, count(*) AS clicks, sum(place) AS places FROM souk.search_clicks GROUP BY search_id) k USING (search_id)
 WHERE query <> ''
 GROUP BY day, query;
