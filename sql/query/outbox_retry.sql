-- Try a row that was parked or waits again, at once and with all its time: $1 its id, or 'parked' for all that are. A code that is too old stays.
UPDATE souk.outbox SET status = 'waiting', next_at = now(), created_at = now(), done_at = NULL, attempts = 0, provider_id = NULL, unsure = false
WHERE status IN ('parked', 'waiting') AND ($1 = 'parked' AND status = 'parked' OR id::text = $1) AND (expires_at IS NULL OR expires_at > now())
RETURNING id
