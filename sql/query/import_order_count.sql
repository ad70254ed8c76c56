-- -> how many orders the file has.
SELECT count(*) FROM import_order
