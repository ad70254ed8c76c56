-- The end of a transaction that holds.
COMMIT
