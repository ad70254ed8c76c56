-- Row-level security decides whose ticket it may be. $1 {ticketId}
SELECT shop.ticket_json(shop.ticket_for_speaker($1::jsonb->>'ticketId'), true)
