-- Forget the rate of currency $1.
DELETE FROM shop.currency_rates WHERE currency = $1
