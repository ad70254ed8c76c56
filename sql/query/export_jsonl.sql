-- One JSON object a line. JSON has no control characters, so with these as quote and delimiter the text comes out as it is.
COPY (SELECT row_to_json(r) FROM export_rows r) TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
