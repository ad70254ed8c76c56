-- The same, once: whoever gets it imports it. $1 id, $2 who -> bytes, name, options as text, until when.
UPDATE souk.uploads SET imported_at = now()
 WHERE id = $1 AND actor = $2 AND imported_at IS NULL AND expires_at > now()
RETURNING body, convert_to(name, 'UTF8'), convert_to(options::text, 'UTF8'), convert_to(souk.rfc3339(expires_at), 'UTF8')
