-- Where a file gives prices to variants only, the product shows the cheapest.
UPDATE shop.products p
   SET price_minor = b.price_minor, sale_price_minor = b.sale_price_minor, currency = b.currency, updated_at = now()
  FROM (SELECT DISTINCT ON (v.product_id) v.product_id, v.price_minor, v.sale_price_minor, t.currency
          FROM (SELECT w.product_id, min(s.currency) AS currency
                  FROM import_plan w JOIN import_row s ON s.n = w.n AND s.variant
                 WHERE s.derive AND w.product_id IS NOT NULL GROUP BY w.product_id) t
          JOIN shop.product_variants v ON v.product_id = t.product_id
         WHERE v.price_minor IS NOT NULL
         ORDER BY v.product_id, coalesce(v.sale_price_minor, v.price_minor), v.position, v.id) b
 WHERE p.id = b.product_id
   AND (p.price_minor, p.sale_price_minor, p.currency) IS DISTINCT FROM (b.price_minor, b.sale_price_minor, b.currency)
