-- The hot path: one look-up by key. The rest of the row is made in one expression; sub-selects run only for products that have variants.
SELECT shop.details(p, c, souk.locale($1::jsonb->>'locale'))
FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id
WHERE p.id = (SELECT shop.product_id($1::jsonb)) AND p.status = 'active'
