-- $1 {orderId, reason}; row-level security decides whose order it may be.
SELECT shop.return_eligibility($1::jsonb)
