-- See import_order_index.sql.
CREATE INDEX ON import_line (number, n)
