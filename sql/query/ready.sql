-- -> version of the newest applied migration.
SELECT coalesce(max(version), 0) FROM souk.migrations
