-- Only refunds of state manual are taken down by hand.
SELECT shop.mark_refunded($1::jsonb)
