-- Claim key $2 of principal $1 for the request with hash $3 (hex) -> one row when it is new. No row: run idempotency_find.
-- Inside a READ COMMITTED transaction; waits for a twin that holds the key, until lock_timeout (55P03).
INSERT INTO souk.idempotency_keys (principal, key, request_hash) VALUES ($1, $2, decode($3, 'hex'))
ON CONFLICT DO NOTHING RETURNING key
