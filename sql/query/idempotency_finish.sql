-- Keep the answer in the transaction of the effect. $1 principal, $2 key, $3 status, $4 reply.
UPDATE souk.idempotency_keys SET status = $3::integer, reply = $4 WHERE principal = $1 AND key = $2
