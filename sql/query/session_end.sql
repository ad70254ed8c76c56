-- $1 hash of the cookie's value (hex).
DELETE FROM souk.sessions WHERE hash = decode($1, 'hex')
