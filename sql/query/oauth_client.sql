-- $1 client id -> one row: kind, auth_method, name, uri or '', redirect_uris (JSON array), secret hash (hex, '' without), hash before (hex, '' when it is no longer
-- good), scopes (space separated), age of the document in seconds. No row: unknown or revoked.
SELECT kind, auth_method, name, coalesce(uri, ''), array_to_json(redirect_uris), coalesce(encode(secret_hash, 'hex'), ''),
	CASE WHEN previous_until > now() THEN encode(previous_hash, 'hex') ELSE '' END, array_to_string(scopes, ' '),
	coalesce(floor(extract(epoch FROM now() - fetched_at)), 0)::bigint
FROM souk.oauth_clients WHERE id = $1 AND revoked_at IS NULL
