-- From the speaker's basket to an order. $1 arguments, $2 minutes that the stock is held. -> {order, number, total}.
SELECT shop.checkout($1::jsonb, $2::integer)
