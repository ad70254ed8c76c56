-- A new secret: $1 endpoint, $2 new salt (hex), $3 seconds for which the old one signs too -> id.
UPDATE souk.webhook_endpoints SET previous_salt = CASE WHEN $3::bigint > 0 THEN salt END, previous_until = CASE WHEN $3::bigint > 0 THEN now() + make_interval(secs => $3::bigint) END,
	salt = decode($2, 'hex') WHERE id::text = $1 RETURNING id
