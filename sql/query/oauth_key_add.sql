-- $1 id, $2 private part (sealed), $3 public part (PEM), $4 x, $5 y: it signs from now on, the others only verify -> its id.
WITH before AS (
	UPDATE souk.oauth_keys SET retired_at = now() WHERE retired_at IS NULL
)
INSERT INTO souk.oauth_keys (id, private_sealed, public_pem, x, y) VALUES ($1, $2, $3, $4, $5) RETURNING id
