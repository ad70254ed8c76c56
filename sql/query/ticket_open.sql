-- $1 {subject, description, category, priority, orderId, email, locale}; the function asks who speaks.
SELECT shop.ticket_open($1::jsonb)
