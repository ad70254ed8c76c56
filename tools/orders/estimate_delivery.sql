-- A cancelled order arrives never.
SELECT json_strip_nulls(json_build_object('orderId', o.id::text, 'orderNumber', o.number, 'status', o.status, 'basis', d->'basis', 'carrier', d->'carrier',
	'country', d->'country', 'postalCode', d->'postalCode', 'handOver', d->'handOver', 'earliest', d->'earliest', 'latest', d->'latest',
	'deliveredAt', d->'deliveredAt', 'timeZone', d->'timeZone', 'cutOff', d->'cutOff'))
FROM shop.orders o, shop.delivery(o, $1::jsonb->>'postalCode') AS d
WHERE o.id = (SELECT shop.order_find($1::jsonb->>'orderId', NULL))
	AND CASE WHEN o.status = 'CANCELLED' THEN souk.fail('SK409', format('order %s is cancelled; nothing will arrive', o.number)) ELSE true END
