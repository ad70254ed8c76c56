-- Row-level security decides whose orders. $1 {email, orderNumber, productName} -> {orders, total}
SELECT shop.support_orders($1::jsonb)
