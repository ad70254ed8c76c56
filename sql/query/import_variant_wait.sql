-- Keep the variants whose product has not come yet.
INSERT INTO import_waiting SELECT s.* FROM import_row s JOIN import_plan w ON w.n = s.n AND s.variant WHERE w.action = 'o'
