-- $1 {ticketId, status, priority, assignedTo}; for staff.
SELECT shop.ticket_update($1::jsonb)
