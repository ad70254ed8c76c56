-- The lines of new and changed orders. A SKU that the catalogue knows leads to its product or variant.
INSERT INTO shop.order_items (order_id, product_id, variant_id, unit_price_minor, total_minor, quantity, position, sku, name, options)
SELECT w.id, coalesce(v.product_id, p.id), v.id, l.unit_price_minor, l.unit_price_minor * l.quantity, l.quantity,
	row_number() OVER (PARTITION BY w.id ORDER BY l.n) - 1, l.sku, l.name, coalesce(l.options, '{}')
  FROM import_now w
  JOIN import_line l ON l.number = w.number
  LEFT JOIN shop.product_variants v ON v.sku = l.sku
  LEFT JOIN shop.products p ON p.sku = l.sku AND v.id IS NULL
 WHERE w.action IN ('c', 'u') AND w.id IS NOT NULL
