-- -> connections of this service's database user to this database, this one included.
SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND usename = session_user
