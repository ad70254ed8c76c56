SELECT shop.sales($1::jsonb)
