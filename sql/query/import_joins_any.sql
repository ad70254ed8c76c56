-- Where both sides are small; see import_joins_by_index.sql.
SELECT set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)
