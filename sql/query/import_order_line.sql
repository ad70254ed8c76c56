-- Where the order $1 begins in the file -> its line.
SELECT line FROM import_order WHERE b = $1::bigint
