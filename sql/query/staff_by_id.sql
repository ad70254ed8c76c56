-- $1 id: the sealed TOTP key (hex).
SELECT encode(s.totp_key, 'hex') FROM souk.staff s WHERE s.id = $1::bigint AND s.disabled_at IS NULL
