-- -> true when the database has been migrated at least once.
SELECT to_regclass('souk.migrations') IS NOT NULL
