-- Use a recovery code up. $1 id, $2 hash (hex).
UPDATE souk.staff_recovery SET used_at = now() WHERE staff_id = $1::bigint AND hash = decode($2, 'hex') AND used_at IS NULL RETURNING staff_id
