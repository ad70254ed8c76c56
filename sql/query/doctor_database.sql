-- What souk doctor wants to know of the database -> version number, encoding, seconds since 1970, is there a web role, may we take it.
SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'), extract(epoch FROM clock_timestamp())::bigint,
	EXISTS (SELECT FROM pg_roles WHERE rolname = left(current_user, 59) || '_web'),
	EXISTS (SELECT FROM pg_roles WHERE rolname = left(current_user, 59) || '_web' AND pg_has_role(current_user, oid, 'MEMBER'))
