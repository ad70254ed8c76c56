-- $1 hash of the cookie's value (hex), $2 staff id or NULL, $3 customer id or NULL, $4 seconds until it ends at the latest.
WITH seen AS (
	UPDATE souk.staff SET last_login_at = now() WHERE id = $2::bigint
), noted AS (
	INSERT INTO souk.audit (actor, action, target) SELECT 'staff:' || ($2::bigint)::text, 'staff.login', ($2::bigint)::text WHERE $2 IS NOT NULL
)
INSERT INTO souk.sessions (hash, staff_id, customer_id, expires_at)
VALUES (decode($1, 'hex'), $2::bigint, $3::bigint, now() + make_interval(secs => $4::bigint))
