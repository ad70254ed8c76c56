-- All orders, one row for each line, in the columns that souk import --orders reads.
CREATE TEMPORARY VIEW export_rows AS
SELECT o.number, replace((o.created_at AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z' AS date, o.status, o.currency, k.reference AS customer,
	k.email AS customer_email, nullif(k.name, '') AS customer_name, o.email, i.sku, i.name, i.quantity,
	souk.money(i.unit_price_minor, o.currency) AS unit_price, nullif(i.options, '{}') AS options,
	souk.money(o.discount_minor, o.currency) AS discount, souk.money(o.shipping_minor, o.currency) AS shipping,
	souk.money(o.tax_minor, o.currency) AS tax, replace((o.paid_at AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z' AS paid_at,
	replace((o.shipped_at AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z' AS shipped_at,
	replace((o.delivered_at AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z' AS delivered_at,
	replace((o.cancelled_at AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z' AS cancelled_at, o.cancel_reason, o.charge_code, o.channel,
	o.shipping_address AS address
  FROM shop.orders o
  LEFT JOIN shop.order_items i ON i.order_id = o.id
  LEFT JOIN shop.customers k ON k.id = o.customer_id
 ORDER BY o.id, i.position, i.id
