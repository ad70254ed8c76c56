-- -> one JSON array of all clients and service accounts, newest first, without secrets.
SELECT coalesce(json_agg(json_build_object('id', c.id, 'kind', c.kind, 'name', c.name, 'authMethod', c.auth_method, 'scopes', to_json(c.scopes),
	'redirectUris', to_json(c.redirect_uris), 'ipAllow', to_json(c.ip_allow::text[]), 'rateClass', c.rate_class,
	'createdAt', souk.rfc3339(c.created_at), 'usedAt', souk.rfc3339(c.used_at), 'revokedAt', souk.rfc3339(c.revoked_at),
	'grants', (SELECT count(*) FROM souk.oauth_grants g WHERE g.client_id = c.id AND g.revoked_at IS NULL))
	ORDER BY c.created_at DESC, c.id), '[]')
FROM souk.oauth_clients c
