-- End token $1 at once -> its id; no row when there is no such token.
UPDATE souk.tokens SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING id
