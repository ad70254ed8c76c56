-- $1 client id: no token of it is good any more, neither a service's own nor those that people granted -> its id; no row when there is none.
WITH ended AS (
	SELECT souk.oauth_end(id, 'client revoked', 'command line') FROM souk.oauth_grants WHERE client_id = $1 AND revoked_at IS NULL
)
UPDATE souk.oauth_clients SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 AND (SELECT count(*) FROM ended) >= 0 RETURNING id
