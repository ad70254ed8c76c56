-- Disabled people cannot log in, and are logged out. $1 e-mail address, $2 on or off -> id.
WITH changed AS (
	UPDATE souk.staff SET disabled_at = CASE WHEN $2 = 'on' THEN coalesce(disabled_at, now()) END WHERE lower(email) = lower($1) RETURNING id, disabled_at
), ended AS (
	DELETE FROM souk.sessions WHERE staff_id IN (SELECT id FROM changed WHERE disabled_at IS NOT NULL)
)
SELECT id FROM changed
