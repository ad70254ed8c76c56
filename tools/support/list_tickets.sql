-- Row-level security decides whose tickets. $1 {status, category, query, limit, cursor}
SELECT shop.ticket_list($1::jsonb)
