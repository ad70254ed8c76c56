-- A code that does not apply raises SK409 with the reason.
SELECT shop.basket_discount($1::jsonb)
