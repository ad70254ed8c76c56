-- The amount is compared with the order's; see sql/app/79_pay.sql.
SELECT shop.mark_paid($1::jsonb)
