-- $1 channel, $2 address -> the address as it is compared; NULL: it is none for that channel.
WITH a AS (SELECT souk.address_key($2) AS k), i AS (
	INSERT INTO souk.opt_outs (channel, recipient) SELECT $1, k FROM a WHERE k IS NOT NULL AND (k LIKE '+%') = ($1 <> 'email') ON CONFLICT DO NOTHING)
SELECT k FROM a WHERE k IS NOT NULL AND (k LIKE '+%') = ($1 <> 'email')
