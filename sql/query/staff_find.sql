-- $1 e-mail address. The scopes are those of the role.
SELECT s.id, s.password, encode(s.totp_key, 'hex') FROM souk.staff s WHERE lower(s.email) = lower(btrim($1)) AND s.disabled_at IS NULL
