-- The built-in text again: $1 name, $2 locale or '', $3 part or ''.
DELETE FROM souk.templates WHERE name = $1 AND ($2 = '' OR locale = $2) AND ($3 = '' OR part = $3) RETURNING locale, part
