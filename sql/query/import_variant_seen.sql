-- Dry run: the same for variants, and their products may be ones that would have been created.
UPDATE import_plan w
   SET action = CASE WHEN x.sku IS NULL AND w.id IS NULL THEN 'c'
		WHEN x.digest = md5((to_jsonb(s) - 'n' - 'line')::text) THEN 's' ELSE 'u' END
  FROM import_row s
  LEFT JOIN import_seen x ON x.sku = s.sku AND x.variant
 WHERE w.n = s.n AND s.variant AND (x.sku IS NOT NULL
	OR (w.action = 'o' AND EXISTS (SELECT FROM import_seen p WHERE p.sku = s.parent AND NOT p.variant)))
