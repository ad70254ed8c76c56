-- Both tables are large and of any shape.
ANALYZE import_order, import_line
