-- $1 client id: a service signed in.
SELECT souk.oauth_note_use($1)
