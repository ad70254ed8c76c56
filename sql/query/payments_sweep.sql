-- Orders that were not paid in time, old baskets. -> {orders, baskets}.
SELECT shop.payments_sweep()
