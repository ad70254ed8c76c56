-- The orders of the file, numbered in the order in which they come. The first line that tells something counts.
CREATE TEMPORARY TABLE import_order AS
SELECT row_number() OVER (ORDER BY min(n)) AS b, number, min(line) AS line, bit_or(has) AS has,
	min(placed_at) AS placed_at, (array_agg(status ORDER BY n) FILTER (WHERE status IS NOT NULL))[1] AS status,
	(array_agg(currency ORDER BY n) FILTER (WHERE currency IS NOT NULL))[1] AS currency,
	(array_agg(customer ORDER BY n) FILTER (WHERE customer IS NOT NULL))[1] AS customer,
	(array_agg(customer_email ORDER BY n) FILTER (WHERE customer_email IS NOT NULL))[1] AS customer_email,
	(array_agg(customer_name ORDER BY n) FILTER (WHERE customer_name IS NOT NULL))[1] AS customer_name,
	(array_agg(email ORDER BY n) FILTER (WHERE email IS NOT NULL))[1] AS email,
	sum(quantity * unit_price_minor)::bigint AS subtotal_minor, sum(quantity)::integer AS item_count, count(*) AS lines,
	max(discount_minor) AS discount_minor, max(shipping_minor) AS shipping_minor, max(tax_minor) AS tax_minor,
	min(paid_at) AS paid_at, min(shipped_at) AS shipped_at, min(delivered_at) AS delivered_at, min(cancelled_at) AS cancelled_at,
	(array_agg(cancel_reason ORDER BY n) FILTER (WHERE cancel_reason IS NOT NULL))[1] AS cancel_reason,
	(array_agg(charge_code ORDER BY n) FILTER (WHERE charge_code IS NOT NULL))[1] AS charge_code,
	(array_agg(channel ORDER BY n) FILTER (WHERE channel IS NOT NULL))[1] AS channel,
	(array_agg(address ORDER BY n) FILTER (WHERE address IS NOT NULL))[1] AS address,
	md5(string_agg(concat_ws('|', sku, quantity, unit_price_minor, name, coalesce(options, '{}')::text), E'\n' ORDER BY n)) AS digest
  FROM import_line GROUP BY number
