-- $1 code's hash (hex), $2 client, $3 redirect_uri, $4 challenge of the verifier, $5 resource or '', $6 access token's id, $7 its hash (hex), $8 seconds, $9 refresh
-- token's hash (hex), $10 seconds -> status (ok, unknown, reused, mismatch, expired, target), scopes (space separated).
SELECT status, scopes FROM souk.oauth_redeem(decode($1, 'hex'), $2, $3, $4, $5, $6, decode($7, 'hex'), $8::integer, decode($9, 'hex'), $10::integer)
