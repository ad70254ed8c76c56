-- Does this handle still count, and is there still its customer? One row if so. $1 hash of the handle in hexadecimal, $2 customer id or NULL.
SELECT 'yes' WHERE NOT EXISTS (SELECT FROM souk.ended_handles WHERE hash = decode($1, 'hex'))
	AND ($2::text IS NULL OR EXISTS (SELECT FROM shop.customers WHERE id = $2::bigint AND erased_at IS NULL))
