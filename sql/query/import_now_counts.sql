-- What this step did -> orders created, updated, unchanged.
SELECT count(*) FILTER (WHERE action = 'c'), count(*) FILTER (WHERE action = 'u'), count(*) FILTER (WHERE action = 's') FROM import_now
