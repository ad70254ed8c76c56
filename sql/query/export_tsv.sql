-- The same with tabs.
COPY (SELECT * FROM export_rows) TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER E'\t')
