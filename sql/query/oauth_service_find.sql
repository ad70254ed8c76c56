-- $1 client id -> the columns of token_find for a service account. No row: there is none.
SELECT name, coalesce(encode(secret_hash, 'hex'), ''), array_to_string(scopes, ' '), 'service', '', coalesce(rate_class, ''),
	coalesce(array_to_string(ip_allow, ' '), ''), 0::bigint, revoked_at IS NOT NULL, 'service:' || id, '', ''
FROM souk.oauth_clients WHERE id = $1 AND kind = 'service'
