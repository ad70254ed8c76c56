SELECT coalesce(json_agg(json_build_object('id', s.id::text, 'email', s.email, 'name', s.name, 'role', s.role, 'totp', s.totp_key IS NOT NULL,
	'recoveryCodes', (SELECT count(*) FROM souk.staff_recovery x WHERE x.staff_id = s.id AND x.used_at IS NULL),
	'createdAt', souk.rfc3339(s.created_at), 'lastLoginAt', souk.rfc3339(s.last_login_at), 'disabledAt', souk.rfc3339(s.disabled_at)) ORDER BY s.id), '[]')
FROM souk.staff s
