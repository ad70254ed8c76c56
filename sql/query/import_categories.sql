-- Create the categories that the batch needs and the shop does not have. The lock, taken only then, keeps two connections from creating the
-- same one; category_ensure() looks again behind it.
SELECT count(shop.category_ensure(s.category))
  FROM (SELECT DISTINCT category FROM import_row r
         WHERE NOT r.variant AND r.category IS NOT NULL
           AND NOT EXISTS (SELECT FROM shop.categories c WHERE c.path = r.category)) s
 CROSS JOIN LATERAL (SELECT pg_advisory_xact_lock(hashtext('souk.import.categories') + length(s.category) * 0) OFFSET 0) l
