-- -> the oldest transaction that is still open: changes from it on may not be in what is read next.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text
