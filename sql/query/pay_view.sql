-- What the payment page shows. $1 order id, $2 language.
SELECT shop.pay_view($1::bigint, $2::text)
