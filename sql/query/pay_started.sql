-- The provider's answer. $1 payment id, $2 its id there, $3 address where it is paid. -> whether it may still be paid.
SELECT shop.pay_started($1::bigint, $2::text, $3::text)
