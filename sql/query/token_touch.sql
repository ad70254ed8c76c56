-- Note that token $1 was used; at most once a minute, so that a busy token costs no write. Notifies nobody.
UPDATE souk.tokens SET last_used_at = now()
WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
