-- A slug that the shop or an earlier row of the batch has gets the SKU added.
UPDATE import_plan w
   SET slug = left(w.slug, 120) || '-' || left(coalesce(nullif(souk.slug(x.sku), ''), md5(x.sku)), 70)
  FROM (SELECT w.n, s.sku
          FROM import_plan w
          JOIN import_row s ON s.n = w.n
          LEFT JOIN shop.products o ON o.slug = w.slug
          LEFT JOIN LATERAL (SELECT true AS yes FROM import_plan e WHERE e.slug = w.slug AND e.n < w.n LIMIT 1) e ON true
         WHERE w.action = 'c' AND (o.id IS NOT NULL OR e.yes)) x
 WHERE w.n = x.n
