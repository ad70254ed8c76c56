-- Whose order it is; what the file does not say stays as it is.
UPDATE import_now w
   SET customer_id = coalesce((SELECT k.id FROM shop.customers k WHERE k.reference = i.customer),
	(SELECT k.id FROM shop.customers k WHERE lower(k.email) = lower(i.customer_email)), w.customer_id)
  FROM import_order i
 WHERE i.b = w.b AND w.action <> 's'
