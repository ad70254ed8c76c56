-- $1 client, $2 kind, $3 customer or '', $4 staff or '', $5 name, $6 scopes (space separated), $7 resource, $8 code's hash (hex), $9 redirect_uri, $10 challenge
-- -> the grant; NULL when the client is gone.
SELECT souk.oauth_allow($1, $2, nullif($3, '')::bigint, nullif($4, '')::bigint, $5, string_to_array($6, ' '), $7, decode($8, 'hex'), $9, $10)
