-- What the batch did -> products created, updated, unchanged; variants created, updated, unchanged.
SELECT count(*) FILTER (WHERE action = 'c' AND NOT s.variant), count(*) FILTER (WHERE action = 'u' AND NOT s.variant),
	count(*) FILTER (WHERE action = 's' AND NOT s.variant), count(*) FILTER (WHERE action = 'c' AND s.variant),
	count(*) FILTER (WHERE action = 'u' AND s.variant), count(*) FILTER (WHERE action = 's' AND s.variant)
  FROM import_plan w JOIN import_row s ON s.n = w.n
