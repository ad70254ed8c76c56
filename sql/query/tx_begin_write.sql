-- A transaction that may write: connections are read-only by default.
BEGIN READ WRITE
