-- $1 e-mail address, $2 name, $3 role, $4 hashed password -> its id.
INSERT INTO souk.staff (email, name, role, password) VALUES ($1, $2, $3, $4) RETURNING id
