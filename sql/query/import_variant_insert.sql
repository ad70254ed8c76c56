-- Create the new variants.
INSERT INTO shop.product_variants (product_id, price_minor, sale_price_minor, stock, position, sku, options)
SELECT w.product_id, s.price_minor, s.sale_price_minor, coalesce(s.stock, 0), coalesce(s.position, 0), s.sku, coalesce(s.options, '{}')
  FROM import_plan w JOIN import_row s ON s.n = w.n AND s.variant
 WHERE w.action = 'c'
 ORDER BY s.n
ON CONFLICT (sku) DO NOTHING
