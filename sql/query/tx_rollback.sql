-- The end of a transaction that leaves nothing behind.
ROLLBACK
