-- Keep a file for an hour; those whose hour is over go. $1 id, $2 who brought it, $3 name, $4 its bytes, $5 JSON options -> until when.
WITH gone AS (
	DELETE FROM souk.uploads WHERE expires_at < now()
)
INSERT INTO souk.uploads (id, expires_at, actor, name, body, options) VALUES ($1, now() + interval '1 hour', $2, $3, $4, $5::jsonb)
RETURNING souk.rfc3339(expires_at)
