-- Look rows up one by one. Without statistics of the temporary tables the planner would rather read the whole catalogue for each batch.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
