-- This handle counts no longer. $1 its hash in hexadecimal, $2 when it would have ended anyway, Unix seconds.
INSERT INTO souk.ended_handles (hash, expires_at) VALUES (decode($1, 'hex'), to_timestamp($2::bigint)) ON CONFLICT DO NOTHING
