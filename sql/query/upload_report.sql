-- How the import of a file went, for who brought it. $1 id, $2 who. No row: it was not imported.
SELECT report::text FROM souk.uploads WHERE id = $1 AND actor = $2 AND imported_at IS NOT NULL AND report IS NOT NULL AND expires_at > now()
