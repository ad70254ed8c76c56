-- $1 channel, $2 address -> the address when it was there.
DELETE FROM souk.opt_outs WHERE channel = $1 AND recipient = souk.address_key($2) RETURNING recipient
