-- A quantity of none takes the line away.
SELECT shop.basket_update($1::jsonb || '{"quantity": 0}')
