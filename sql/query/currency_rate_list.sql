-- All rates: currency, rate, since when.
SELECT currency, trim_scale(rate)::text, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM shop.currency_rates ORDER BY currency
