-- Use a step of the clock up: none is good twice, and none before it. $1 id, $2 step.
UPDATE souk.staff SET totp_step = $2::bigint WHERE id = $1::bigint AND totp_step < $2::bigint RETURNING id
