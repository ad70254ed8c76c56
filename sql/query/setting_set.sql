-- $1 key, $2 JSON value, $3 who.
INSERT INTO souk.settings (key, value, updated_by) VALUES ($1, $2::jsonb, $3)
ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, updated_by = EXCLUDED.updated_by, updated_at = now()
