-- Variants whose product has not come yet.
CREATE TEMPORARY TABLE import_waiting (LIKE import_row)
