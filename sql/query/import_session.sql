-- An import works for the shop as a whole, in large steps. Compressing long texts the old way would take a tenth of its time.
SELECT set_config('souk.kind', 'system', false), set_config('timezone', 'UTC', false), set_config('jit', 'off', false),
	set_config('work_mem', '64MB', false), set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
	set_config('lock_timeout', '60s', false), set_config('client_min_messages', 'error', false),
	(SELECT set_config(name, 'lz4', false) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
