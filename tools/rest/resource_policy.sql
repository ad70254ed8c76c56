-- $1 {name, locale}, $2 the speaker's language
SELECT json_build_object('name', $1::jsonb->>'name',
	'policies', shop.policies_json($1::jsonb->>'name', souk.locale($1::jsonb->>'locale', $2), (now() AT TIME ZONE 'UTC')::date))
WHERE $1::jsonb->>'name' IN ('return', 'shipping', 'privacy', 'terms', 'payment')
