-- Never send a row: $1 its id, or 'parked' for all that are. What it would have said goes at once.
UPDATE souk.outbox SET status = 'dropped', done_at = now(), data = '{}' WHERE status IN ('parked', 'waiting') AND ($1 = 'parked' AND status = 'parked' OR id::text = $1)
RETURNING id
