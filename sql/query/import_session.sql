-- An import works for the shop as a whole, in large steps.
SELECT set_config('souk.kind', 'system', false), set_config('timezone', 'UTC', false), set_config('jit', 'off', false),
	set_config('work_mem', '64MB', false), set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
	set_config('lock_timeout', '60s', false), set_config('client_min_messages', 'error', false)
