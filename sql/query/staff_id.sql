-- $1 e-mail address -> id.
SELECT id FROM souk.staff WHERE lower(email) = lower($1)
