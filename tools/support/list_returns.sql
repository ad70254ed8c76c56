-- Row-level security decides whose returns. $1 {returnId, orderId, status, limit, cursor}
SELECT shop.return_list($1::jsonb)
