-- $1 client id, $2 kind (service or manual), $3 name, $4 scopes (space separated), $5 secret hash (hex) or NULL, $6 networks (space separated) or '', $7 rate class or '',
-- $8 redirect_uris (space separated) -> its id. Of 10.0.0.1/8 the network is meant, 10.0.0.0/8.
INSERT INTO souk.oauth_clients (id, kind, auth_method, name, scopes, secret_hash, ip_allow, rate_class, redirect_uris)
VALUES ($1, $2, CASE WHEN $5::text IS NULL THEN 'none' ELSE 'client_secret_basic' END, $3, string_to_array($4, ' '), decode($5, 'hex'),
	CASE WHEN $6::text <> '' THEN ARRAY(SELECT network(n::inet)::cidr FROM unnest(string_to_array($6, ' ')) n) END, nullif($7, ''), string_to_array($8, ' '))
RETURNING id
