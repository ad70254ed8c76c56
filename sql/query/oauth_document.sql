-- $1 URL, $2 name, $3 home page or NULL, $4 redirect_uris (JSON array), $5 most unused clients -> ok or full.
SELECT souk.oauth_document($1, $2, $3, ARRAY(SELECT json_array_elements_text($4::json)), $5::integer)
