-- A new password ends all log-ins, and what was granted to assistants with the old one. $1 e-mail address, $2 hashed password -> id.
WITH changed AS (
	UPDATE souk.staff SET password = $2, password_at = now() WHERE lower(email) = lower($1) RETURNING id
), ended AS (
	DELETE FROM souk.sessions WHERE staff_id IN (SELECT id FROM changed)
), grants AS (
	SELECT souk.oauth_end(id, 'password changed', 'command line') FROM souk.oauth_grants
	WHERE staff_id IN (SELECT id FROM changed) AND revoked_at IS NULL
)
SELECT id FROM changed WHERE (SELECT count(*) FROM grants) >= 0
