-- $1 {orderId, reason, items, comment}; the function asks who speaks.
SELECT shop.return_open($1::jsonb)
