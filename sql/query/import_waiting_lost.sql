-- Variants whose product never came -> line, parent.
SELECT s.line, s.parent FROM import_plan w JOIN import_row s ON s.n = w.n AND s.variant WHERE w.action = 'o' ORDER BY s.n
