-- $1 {returnId, action, note, deduction, restock}; for staff.
SELECT shop.return_decide($1::jsonb)
