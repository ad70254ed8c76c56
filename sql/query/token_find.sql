-- $1 token id -> one row: name, hash (hex), scopes (space separated), kind, customer_id or '', rate_class or '',
-- ip_allow (space separated networks, '' = anywhere), expires (Unix milliseconds, 0 = never), revoked (t/f), principal, audience or '' (any), staff_id or ''.
-- No row: unknown. What somebody granted counts only as far as they hold it themselves; where nobody is left to speak for, the token is as good as revoked.
SELECT t.name, encode(t.hash, 'hex'),
	array_to_string(CASE WHEN g.id IS NULL THEN t.scopes ELSE souk.scopes_meet(t.scopes, souk.scopes_of(g.kind, g.customer_id, g.staff_id)) END, ' '),
	t.kind, coalesce(t.customer_id::text, ''), coalesce(t.rate_class, ''), coalesce(array_to_string(t.ip_allow, ' '), ''),
	coalesce(floor(extract(epoch FROM t.expires_at) * 1000), 0)::bigint,
	t.revoked_at IS NOT NULL OR g.revoked_at IS NOT NULL OR c.revoked_at IS NOT NULL
		OR ((g.id IS NOT NULL OR t.kind = 'customer') AND souk.scopes_of(t.kind, t.customer_id, g.staff_id) IS NULL),
	coalesce('grant:' || g.id, 'token:' || t.id), coalesce(t.audience, ''), coalesce(g.staff_id::text, '')
FROM souk.tokens t LEFT JOIN souk.oauth_grants g ON g.id = t.grant_id LEFT JOIN souk.oauth_clients c ON c.id = g.client_id
WHERE t.id = $1
