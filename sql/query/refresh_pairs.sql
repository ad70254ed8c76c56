-- Count "bought together" again.
SELECT shop.refresh_pairs()
