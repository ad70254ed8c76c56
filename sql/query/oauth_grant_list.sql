-- -> one JSON array of the grants that have not ended, newest first.
SELECT coalesce(json_agg(json_build_object('id', g.id::text, 'client', c.name, 'clientId', g.client_id, 'kind', g.kind, 'name', g.name,
	'customerId', g.customer_id::text, 'staffId', g.staff_id::text, 'scopes', to_json(g.scopes), 'resource', g.resource,
	'createdAt', souk.rfc3339(g.created_at), 'usedAt', souk.rfc3339(g.used_at)) ORDER BY g.created_at DESC, g.id DESC), '[]')
FROM souk.oauth_grants g JOIN souk.oauth_clients c ON c.id = g.client_id WHERE g.revoked_at IS NULL
