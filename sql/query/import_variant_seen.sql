-- Dry run: the same for variants, and their products may be ones that would have been created.
UPDATE import_plan w
   SET action = CASE WHEN x.digest IS NULL AND w.id IS NULL THEN 'c'
		WHEN x.digest = md5((to_jsonb(s) - 'n' - 'line')::text) THEN 's' ELSE 'u' END
  FROM import_row s
  LEFT JOIN LATERAL (SELECT digest FROM import_seen x WHERE x.variant AND x.sku = s.sku OFFSET 0) x ON true
  LEFT JOIN LATERAL (SELECT true AS yes FROM import_seen x WHERE NOT x.variant AND x.sku = s.parent OFFSET 0) p ON true
 WHERE w.n = s.n AND s.variant AND (x.digest IS NOT NULL OR (w.action = 'o' AND p.yes))
