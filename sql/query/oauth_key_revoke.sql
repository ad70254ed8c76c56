-- $1 key id: what it signed is refused at once -> its id; no row when there is none.
UPDATE souk.oauth_keys SET revoked_at = coalesce(revoked_at, now()), retired_at = coalesce(retired_at, now()) WHERE id = $1 RETURNING id
