-- One runner at a time; released with the transaction.
SELECT pg_advisory_xact_lock(hashtext('souk.migrate'))
