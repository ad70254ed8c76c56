-- $1 client id, $2 name, $3 home page or NULL, $4 redirect_uris (JSON array), $5 method, $6 secret hash (hex) or NULL, $7 scopes (space separated), $8 most unused
-- clients -> ok or full.
SELECT souk.oauth_register($1, $2, $3, ARRAY(SELECT json_array_elements_text($4::json)), $5, decode($6, 'hex'),
	string_to_array($7, ' '), $8::integer)
