-- $1 name, $2 locale, $3 part, $4 body.
INSERT INTO souk.templates (name, locale, part, body, updated_by) VALUES ($1, $2, $3, $4, 'souk template set')
ON CONFLICT (name, locale, part) DO UPDATE SET body = excluded.body, updated_at = now(), updated_by = excluded.updated_by
RETURNING name
