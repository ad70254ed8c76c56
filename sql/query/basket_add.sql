-- Put a product into the speaker's basket. $1 arguments of add_to_basket. -> the basket.
SELECT shop.basket_add($1::jsonb)
