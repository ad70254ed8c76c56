-- The owner's rates as one JSON object: currency -> decimal text. NULL when there are none.
SELECT json_object_agg(currency, rate::text)::text FROM (SELECT currency, rate FROM shop.currency_rates ORDER BY currency LIMIT 200) r
