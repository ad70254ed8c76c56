-- While an import runs this lock is held, so that others can wait with what would disturb it; see import_running.sql.
SELECT pg_advisory_lock_shared(hashtext('souk.import'), 1)
