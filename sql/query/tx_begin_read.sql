-- A transaction that may only read.
BEGIN READ ONLY
