-- The public parts of all keys that are not revoked -> JSON Web Key Set.
SELECT json_build_object('keys', coalesce(json_agg(json_build_object('kty', 'EC', 'use', 'sig', 'alg', 'ES256', 'crv', 'P-256', 'kid', id,
	'x', x, 'y', y) ORDER BY created_at DESC, id), '[]'))
FROM souk.oauth_keys WHERE revoked_at IS NULL
