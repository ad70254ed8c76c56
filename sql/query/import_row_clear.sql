-- Before each batch.
TRUNCATE import_row, import_plan
