-- $1 key id -> its public part (PEM). No row: unknown or revoked.
SELECT public_pem FROM souk.oauth_keys WHERE id = $1 AND revoked_at IS NULL
