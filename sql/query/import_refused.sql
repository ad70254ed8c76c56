-- Rows of the batch that the shop cannot take -> line, SKU, reason.
SELECT s.line, s.sku, w.reason FROM import_plan w JOIN import_row s ON s.n = w.n WHERE w.action = 'x' ORDER BY s.n
