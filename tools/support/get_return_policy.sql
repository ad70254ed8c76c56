-- $1 {productCategory, orderAge, orderId, country, locale}; an order is looked up under row-level security.
SELECT shop.support_return_policy($1::jsonb)
