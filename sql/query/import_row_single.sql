-- Of rows with the same SKU the last one counts -> how many others there were.
WITH gone AS (
	DELETE FROM import_row WHERE n IN (
		SELECT n FROM (SELECT n, row_number() OVER (PARTITION BY variant, sku ORDER BY n DESC) AS k FROM import_row) x WHERE k > 1)
	RETURNING 1)
SELECT count(*) FROM gone
