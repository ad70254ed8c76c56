-- $1 id, $2 the password hashed anew, $3 how it was hashed.
UPDATE souk.staff SET password = $2 WHERE id = $1::bigint AND password = $3 RETURNING id
