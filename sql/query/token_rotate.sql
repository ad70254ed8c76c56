-- A new token $2 with hash $3 (hex) and the rights of token $1, which ends after $4 seconds -> the new id; no row when $1 is
-- unknown, revoked or expired.
WITH old AS (
	UPDATE souk.tokens
	SET expires_at = least(expires_at, now() + make_interval(secs => $4::bigint))
	WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
	RETURNING id, name, scopes, kind, customer_id, rate_class, ip_allow
)
INSERT INTO souk.tokens (id, name, hash, scopes, kind, customer_id, rate_class, ip_allow, rotated_from)
SELECT $2, name, decode($3, 'hex'), scopes, kind, customer_id, rate_class, ip_allow, id FROM old
RETURNING id
