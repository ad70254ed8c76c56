-- The customer whom the shop's site names. $1 id or NULL, $2 number in the shop's system or NULL.
SELECT c.id FROM shop.customers c WHERE c.erased_at IS NULL AND (c.id = $1::bigint OR c.reference = $2::text)
