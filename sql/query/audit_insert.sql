-- $1 actor, $2 action, $3 target, $4 JSON details.
INSERT INTO souk.audit (actor, action, target, details) VALUES ($1, $2, $3, $4::jsonb)
