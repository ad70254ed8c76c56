-- The waiting variants become the last batch.
INSERT INTO import_row SELECT * FROM import_waiting
