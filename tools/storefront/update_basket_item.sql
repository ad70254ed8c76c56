-- The speaker's basket with another quantity in one line.
SELECT shop.basket_update($1::jsonb)
