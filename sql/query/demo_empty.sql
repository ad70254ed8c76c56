-- -> true when the shop has no product yet.
SELECT NOT EXISTS (SELECT FROM shop.products)
