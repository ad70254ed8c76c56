-- $1 id, $2 name, $3 hash (hex), $4 scopes (space separated), $5 kind, $6 rate class or '', $7 networks (space separated) or '',
-- $8 seconds until it expires or 0 -> its id. Of 10.0.0.1/8 the network is meant, 10.0.0.0/8.
INSERT INTO souk.tokens (id, name, hash, scopes, kind, rate_class, ip_allow, expires_at)
VALUES ($1, $2, decode($3, 'hex'), string_to_array($4, ' '), $5, nullif($6, ''),
	CASE WHEN $7::text <> '' THEN ARRAY(SELECT network(n::inet)::cidr FROM unnest(string_to_array($7, ' ')) n) END,
	CASE WHEN $8::bigint > 0 THEN now() + make_interval(secs => $8::bigint) END)
RETURNING id
