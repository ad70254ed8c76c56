-- $1 {orderId, trackingNumber, country, locale}; an order is looked up under row-level security.
SELECT shop.support_shipping($1::jsonb)
