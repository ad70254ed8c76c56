-- $1 client, $2 the token's hash as a refresh token (hex), $3 its id and $4 hash (hex) as an access token -> whether something ended.
SELECT souk.oauth_give_back($1, decode($2, 'hex'), $3, decode($4, 'hex'))
