-- $1 token id -> one row: name, hash (hex), scopes (space separated), kind, customer_id or '', rate_class or '',
-- ip_allow (space separated networks, '' = anywhere), expires (Unix milliseconds, 0 = never), revoked (t/f). No row: unknown.
SELECT name, encode(hash, 'hex'), array_to_string(scopes, ' '), kind, coalesce(customer_id::text, ''),
	coalesce(rate_class, ''), coalesce(array_to_string(ip_allow, ' '), ''),
	coalesce(floor(extract(epoch FROM expires_at) * 1000), 0)::bigint, revoked_at IS NOT NULL
FROM souk.tokens WHERE id = $1
