-- The key that signs now -> id, private part (sealed). No row: there is none.
SELECT id, private_sealed FROM souk.oauth_keys WHERE retired_at IS NULL AND revoked_at IS NULL ORDER BY created_at DESC, id LIMIT 1
