-- $1 client id, $2 new secret hash (hex), $3 seconds for which the old secret is still good -> its id; no row when there is no such client with a secret.
UPDATE souk.oauth_clients SET previous_hash = secret_hash, previous_until = now() + make_interval(secs => $3::bigint), secret_hash = decode($2, 'hex')
WHERE id = $1 AND secret_hash IS NOT NULL AND revoked_at IS NULL
RETURNING id
