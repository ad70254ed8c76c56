-- -> how many variants wait for their product.
SELECT count(*) FROM import_waiting
