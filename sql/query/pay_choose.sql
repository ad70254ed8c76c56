-- The buyer's choice on the payment page. $1 order id, $2 way, $3 what they say of themselves, $4 days that the stock is held.
SELECT shop.pay_choose($1::bigint, $2::text, $3::jsonb, $4::integer)
