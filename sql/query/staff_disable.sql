-- Disabled people cannot log in, are logged out, and what they granted to assistants ends. $1 e-mail address, $2 on or off -> id.
WITH changed AS (
	UPDATE souk.staff SET disabled_at = CASE WHEN $2 = 'on' THEN coalesce(disabled_at, now()) END WHERE lower(email) = lower($1) RETURNING id, disabled_at
), gone AS (
	SELECT id FROM changed WHERE disabled_at IS NOT NULL
), ended AS (
	DELETE FROM souk.sessions WHERE staff_id IN (SELECT id FROM gone)
), grants AS (
	SELECT souk.oauth_end(id, 'account disabled', 'command line') FROM souk.oauth_grants
	WHERE staff_id IN (SELECT id FROM gone) AND revoked_at IS NULL
)
SELECT id FROM changed WHERE (SELECT count(*) FROM grants) >= 0
