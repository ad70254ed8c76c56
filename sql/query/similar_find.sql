-- $1 arguments with productId -> its id, and what was bought with it as "12:0.35 40:0.2". No row when there is no such product.
SELECT p.id::text, (SELECT string_agg(b.other_id || ':' || b.score, ' ') FROM shop.product_pairs b WHERE b.product_id = p.id)
  FROM shop.products p WHERE p.id = shop.product_id($1::jsonb) AND p.status = 'active'
