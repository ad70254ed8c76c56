-- A new token $2 with hash $3 (hex) and the rights of token $1, which ends after $4 seconds -> the new id; no row when $1 is
-- unknown, revoked or expired, or an assistant's. A token that was made to last a time gets a successor that lasts as long again.
WITH old AS (
	SELECT id, name, scopes, kind, customer_id, rate_class, ip_allow, expires_at - created_at AS lifetime
	FROM souk.tokens
	WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AND grant_id IS NULL
	FOR UPDATE
), ending AS (
	UPDATE souk.tokens t
	SET expires_at = least(t.expires_at, now() + make_interval(secs => $4::bigint))
	FROM old WHERE t.id = old.id
)
INSERT INTO souk.tokens (id, name, hash, scopes, kind, customer_id, rate_class, ip_allow, rotated_from, expires_at)
SELECT $2, name, decode($3, 'hex'), scopes, kind, customer_id, rate_class, ip_allow, id, now() + lifetime FROM old
RETURNING id
