-- The customer's own basket and the one that a handle was brought for are shown as one, which they become with the next change.
SELECT shop.basket_show(shop.basket_ids(), $1::jsonb)
