-- Who is logged in with this cookie; the log-in lives on. $1 its hash (hex), $2 seconds that it may stay without a request.
UPDATE souk.sessions s SET seen_at = now()
WHERE s.hash = decode($1, 'hex') AND s.expires_at > now() AND s.seen_at > now() - make_interval(secs => $2::bigint)
	AND NOT EXISTS (SELECT FROM souk.staff p WHERE p.id = s.staff_id AND p.disabled_at IS NOT NULL)
	AND NOT EXISTS (SELECT FROM shop.customers c WHERE c.id = s.customer_id AND c.erased_at IS NOT NULL)
RETURNING s.staff_id, s.customer_id,
	coalesce((SELECT p.name FROM souk.staff p WHERE p.id = s.staff_id), (SELECT c.name FROM shop.customers c WHERE c.id = s.customer_id)),
	(SELECT array_to_string(r.scopes, ' ') FROM souk.staff p JOIN souk.roles r ON r.role = p.role WHERE p.id = s.staff_id)
