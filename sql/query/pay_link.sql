-- What get_payment_link answers. $1 order id, $2 address, $3 stripe or shop, $4 JSON array of methods.
SELECT shop.pay_link($1::bigint, $2::text, $3::text, $4::json)
