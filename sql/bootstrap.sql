-- What the migration runner itself needs. Safe to run any number of times, as the owner of the database, before
-- looking at migrations/. Everything else is created by the numbered migrations.
CREATE SCHEMA IF NOT EXISTS souk;

CREATE TABLE IF NOT EXISTS souk.migrations (
	version integer PRIMARY KEY,                     -- 1 for 0001_schemas.sql
	name text NOT NULL,                              -- the file's name
	checksum text NOT NULL,                          -- SHA-256 of the file's bytes, lower-case hexadecimal
	applied_at timestamptz NOT NULL DEFAULT now(),
	duration_ms integer NOT NULL DEFAULT 0
);
