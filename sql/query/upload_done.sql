-- How the import of a file went. $1 id, $2 true: it may be tried again, $3 JSON report.
UPDATE souk.uploads SET imported_at = CASE WHEN NOT $2::boolean THEN imported_at END, report = $3::jsonb,
	body = CASE WHEN $2::boolean THEN body ELSE ''::bytea END WHERE id = $1
