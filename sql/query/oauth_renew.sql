-- $1 refresh token's hash (hex), $2 client, $3 resource or '', $4 scopes or '', $5 access token's id, $6 its hash (hex), $7 seconds, $8 new refresh token's hash (hex),
-- $9 seconds -> status (ok, unknown, reused, mismatch, expired, target, scope), scopes (space separated).
SELECT status, scopes FROM souk.oauth_renew(decode($1, 'hex'), $2, $3, $4, $5, decode($6, 'hex'), $7::integer, decode($8, 'hex'), $9::integer)
