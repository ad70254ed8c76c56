-- $1 version, $2 file name, $3 checksum, $4 milliseconds it took
INSERT INTO souk.migrations (version, name, checksum, duration_ms) VALUES ($1, $2, $3, $4)
