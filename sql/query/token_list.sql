-- -> one JSON array of all tokens that were made by hand, newest first, without hashes.
SELECT coalesce(json_agg(json_build_object(
	'id', id,
	'name', name,
	'kind', kind,
	'scopes', to_json(scopes),
	'rateClass', rate_class,
	'ipAllow', to_json(ip_allow::text[]),
	'createdAt', souk.rfc3339(created_at),
	'expiresAt', souk.rfc3339(expires_at),
	'revokedAt', souk.rfc3339(revoked_at),
	'lastUsedAt', souk.rfc3339(last_used_at),
	'rotatedFrom', rotated_from,
	'active', revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())) ORDER BY created_at DESC, id), '[]')
FROM souk.tokens WHERE grant_id IS NULL
