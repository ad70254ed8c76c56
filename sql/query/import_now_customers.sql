-- Create the customers of these orders that the shop does not know, by their number in the other system or their e-mail.
INSERT INTO shop.customers (reference, email, name, created_at, addresses)
SELECT DISTINCT ON (coalesce(i.customer, ''), lower(coalesce(i.customer_email, '')))
	i.customer, i.customer_email, coalesce(i.customer_name, ''), i.placed_at,
	CASE WHEN i.address IS NULL THEN '[]' ELSE jsonb_build_array(i.address) END
  FROM import_now w JOIN import_order i ON i.b = w.b
 WHERE w.action <> 's' AND (i.customer IS NOT NULL OR i.customer_email IS NOT NULL)
   AND NOT EXISTS (SELECT FROM shop.customers k WHERE k.reference = i.customer)
   AND NOT EXISTS (SELECT FROM shop.customers k WHERE lower(k.email) = lower(i.customer_email))
 ORDER BY coalesce(i.customer, ''), lower(coalesce(i.customer_email, '')), i.b
ON CONFLICT DO NOTHING
