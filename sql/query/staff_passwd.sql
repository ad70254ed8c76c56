-- A new password ends all log-ins. $1 e-mail address, $2 hashed password -> id.
WITH changed AS (
	UPDATE souk.staff SET password = $2, password_at = now() WHERE lower(email) = lower($1) RETURNING id
), ended AS (
	DELETE FROM souk.sessions WHERE staff_id IN (SELECT id FROM changed)
)
SELECT id FROM changed
