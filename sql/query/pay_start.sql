-- An attempt to pay. $1 order id, $2 way, $3 form, $4 {success, cancel, locale}. -> {payment, state, url, steps}.
SELECT shop.pay_start($1::bigint, $2::text, $3::text, $4::jsonb)
