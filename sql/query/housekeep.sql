-- Expired rows away, partitions ahead. As the owner. $1 hours for which idempotency keys are kept. -> JSON counts and whether there is more.
SELECT r, r->>'more' FROM souk.housekeep($1::integer) r
