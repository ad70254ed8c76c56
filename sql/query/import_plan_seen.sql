-- Dry run: a row whose SKU this run has seen before is compared with what was seen.
UPDATE import_plan w
   SET action = CASE WHEN x.digest = md5((to_jsonb(s) - 'n' - 'line')::text) THEN 's' ELSE 'u' END, reason = NULL
  FROM import_row s
  JOIN import_seen x ON x.sku = s.sku AND x.variant = s.variant
 WHERE w.n = s.n AND NOT s.variant
