-- Count units sold and ratings again.
SELECT shop.refresh_counts()
