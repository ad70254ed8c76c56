SELECT shop.stock_update($1::jsonb)
