-- The language in which an order was placed, for messages to buyers without an account.
ALTER TABLE shop.orders ADD locale text CHECK (length(locale) = 2);
