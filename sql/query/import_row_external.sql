-- See import_row_table.sql.
ALTER TABLE import_row ALTER description SET STORAGE EXTERNAL
