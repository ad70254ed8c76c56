-- $1 key.
DELETE FROM souk.kv WHERE key = $1
