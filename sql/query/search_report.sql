-- The $2 most frequent queries of the last $1 days, those without a result first when $3 is true: query, searches, without result, products found in the
-- mean, products opened, their mean place.
SELECT query, sum(searches)::text, sum(no_result)::text, round(sum(results * searches) / sum(searches), 1)::text, sum(clicks)::text,
	coalesce(round(sum(place * clicks) / nullif(sum(clicks), 0), 1)::text, '-')
  FROM souk.search_queries WHERE day > (now() AT TIME ZONE 'UTC')::date - $1::integer
 GROUP BY query HAVING NOT $3::boolean OR sum(no_result) > 0
 ORDER BY CASE WHEN $3::boolean THEN sum(no_result) ELSE sum(searches) END DESC, query LIMIT $2::integer
