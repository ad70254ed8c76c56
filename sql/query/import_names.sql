-- Remember the other names of this batch's products.
INSERT INTO import_name (reference, sku)
SELECT DISTINCT ON (reference) reference, sku FROM import_row WHERE NOT variant AND reference IS NOT NULL ORDER BY reference, n DESC
ON CONFLICT (reference) DO UPDATE SET sku = EXCLUDED.sku
