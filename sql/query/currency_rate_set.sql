-- Set the rate of currency $1 to $2.
INSERT INTO shop.currency_rates (currency, rate) VALUES ($1, $2::numeric)
ON CONFLICT (currency) DO UPDATE SET rate = EXCLUDED.rate, updated_at = now()
