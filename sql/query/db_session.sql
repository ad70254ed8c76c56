-- What every connection starts with. $1 statement_timeout, $2 lock_timeout, $3 idle_in_transaction_session_timeout,
-- $4 'web' to take the role <user>_web when the database has one, $5 true: for this transaction only (poolers).
-- Nobody speaks until a transaction says who, whatever the role's or the database's own settings are.
SELECT set_config('default_transaction_read_only', 'on', $5::boolean),
	set_config('statement_timeout', $1, $5::boolean),
	set_config('lock_timeout', $2, $5::boolean),
	set_config('idle_in_transaction_session_timeout', $3, $5::boolean),
	set_config('timezone', 'UTC', $5::boolean),
	set_config('jit', 'off', $5::boolean),
	set_config('souk.kind', '', $5::boolean), set_config('souk.customer_id', '', $5::boolean),
	CASE WHEN $4 = 'web' AND pg_has_role(session_user, to_regrole(quote_ident(session_user || '_web')), 'MEMBER')
		THEN set_config('role', session_user || '_web', $5::boolean) END
