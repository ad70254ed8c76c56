-- $1 id, $2 sealed key (hex) or NULL: none any more, $3 hashes of recovery codes (hex, separated by blanks) -> id.
WITH gone AS (
	DELETE FROM souk.staff_recovery WHERE staff_id = $1::bigint
), made AS (
	INSERT INTO souk.staff_recovery (staff_id, hash)
	SELECT $1::bigint, decode(h, 'hex') FROM unnest(string_to_array($3, ' ')) h
)
UPDATE souk.staff SET totp_key = decode($2, 'hex'), totp_step = 0 WHERE id = $1::bigint RETURNING id
