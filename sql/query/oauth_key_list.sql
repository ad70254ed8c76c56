-- -> one JSON array of all keys, newest first, without their private parts.
SELECT coalesce(json_agg(json_build_object('id', id, 'createdAt', souk.rfc3339(created_at), 'retiredAt', souk.rfc3339(retired_at),
	'revokedAt', souk.rfc3339(revoked_at)) ORDER BY created_at DESC, id), '[]')
FROM souk.oauth_keys
