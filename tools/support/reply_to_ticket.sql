-- $1 {ticketId, message, internal}; the function asks who speaks.
SELECT shop.ticket_reply($1::jsonb)
