-- Variants may name their product by another name that the file gives it.
UPDATE import_row s SET parent = a.sku FROM import_name a WHERE s.variant AND a.reference = s.parent
