-- $1 principal, $2 key -> request hash (hex), status, reply.
SELECT encode(request_hash, 'hex'), status, reply FROM souk.idempotency_keys WHERE principal = $1 AND key = $2
