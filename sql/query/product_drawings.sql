-- All products whose picture is drawn -> slug, kind, colour (#rrggbb), title: the columns that souk-draw reads.
SELECT slug, attributes->>'kind', attributes->>'colourHex', name FROM shop.products
WHERE attributes ? 'kind' AND images->0->>'url' LIKE '/img/products/%' ORDER BY id
