-- All synonyms of the owner as one JSON object: word -> array of words. NULL when there are none. Rows of one word in several languages are one list.
SELECT json_object_agg(s.word, s.means)::text
  FROM (SELECT word, json_agg(DISTINCT m) FILTER (WHERE m IS NOT NULL) AS means
	  FROM (SELECT word, means FROM shop.search_synonyms ORDER BY word LIMIT 20000) t LEFT JOIN LATERAL unnest(t.means) AS m ON true
	 GROUP BY word) s
