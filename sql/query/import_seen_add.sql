-- Dry run: remember this batch.
INSERT INTO import_seen (sku, variant, parent, digest)
SELECT s.sku, s.variant, s.parent, md5((to_jsonb(s) - 'n' - 'line')::text)
  FROM import_row s JOIN import_plan w ON w.n = s.n
 WHERE w.action IN ('c', 'u', 's')
ON CONFLICT (variant, sku) DO UPDATE SET digest = EXCLUDED.digest
