-- What happened to the orders of the last three months, step by step, and what some customers wrote about theirs: the shop has answered all
-- but the last few.
INSERT INTO shop.order_events (order_id, created_at, kind, from_status, to_status, actor_kind, actor, reason, data)
SELECT t.id, t.at, 'status', lag(t.status) OVER (PARTITION BY t.id ORDER BY t.at, t.n), t.status, t.actor_kind, t.actor,
	CASE t.status WHEN 'PENDING' THEN 'placed' WHEN 'CANCELLED' THEN coalesce(t.cancel_reason, '') ELSE '' END,
	CASE WHEN t.status = 'SHIPPED' AND t.carrier IS NOT NULL THEN jsonb_build_object('carrier', t.carrier, 'trackingNumber', t.tracking_number) ELSE '{}' END
  FROM (SELECT o.id, o.cancel_reason, s.carrier, s.tracking_number, v.*
	  FROM shop.orders o
	  LEFT JOIN LATERAL (SELECT x.carrier, x.tracking_number FROM shop.shipments x WHERE x.order_id = o.id ORDER BY x.id LIMIT 1) s ON true
	  CROSS JOIN LATERAL (VALUES
		(1, 'PENDING', o.created_at, CASE WHEN o.customer_id IS NULL THEN 'guest' ELSE 'customer' END, coalesce('customer:' || o.customer_id, 'guest')),
		(2, 'PAID', o.paid_at, 'system', 'system'),
		(3, 'PROCESSING', CASE WHEN o.status = 'PROCESSING' THEN o.paid_at + interval '3 hours' END, 'staff', 'warehouse'),
		(4, 'SHIPPED', o.shipped_at, 'staff', 'warehouse'),
		(5, 'DELIVERED', o.delivered_at, 'service', 'carrier'),
		(6, 'CANCELLED', o.cancelled_at, CASE WHEN o.customer_id IS NULL THEN 'guest' ELSE 'customer' END, coalesce('customer:' || o.customer_id, 'guest')))
		AS v(n, status, at, actor_kind, actor)
	 WHERE o.created_at > pg_temp.demo_now() - interval '90 days' AND v.at IS NOT NULL AND v.at <= pg_temp.demo_now()) t
 ORDER BY t.at, t.id;

INSERT INTO shop.order_messages (order_id, created_at, read_at, from_shop, author, body)
SELECT w.id, w.at, CASE WHEN w.place > 3 AND w.at < pg_temp.demo_now() - interval '5 hours' THEN w.at + interval '5 hours' END, false, 'customer:' || w.customer_id,
	pg_temp.pick(CASE w.locale
		WHEN 'en' THEN '{"Could you tell me when my parcel will arrive?","Can I still change the delivery address?","Is it possible to have it gift-wrapped?"}'
		WHEN 'es' THEN '{"¿Podrían decirme cuándo llegará mi paquete?","¿Puedo cambiar todavía la dirección de entrega?"}'
		WHEN 'de' THEN '{"Wann kommt mein Paket ungefähr an?","Kann ich die Lieferadresse noch ändern?"}'
		ELSE '{"Bonjour, quand mon colis doit-il arriver ?","Puis-je encore modifier l''adresse de livraison ?","Serait-il possible d''avoir un emballage cadeau ?"}' END::text[],
		'message ' || w.number)
  FROM (SELECT o.id, o.number, o.customer_id, c.locale, row_number() OVER (ORDER BY o.created_at DESC, o.id DESC) AS place,
		least(o.created_at + interval '1 day', pg_temp.demo_now() - interval '20 minutes') AS at
	  FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id
	 WHERE o.created_at BETWEEN pg_temp.demo_now() - interval '90 days' AND pg_temp.demo_now() - interval '1 hour' AND pg_temp.chance('writes ' || o.number) < 0.08) w
 ORDER BY w.at, w.id;

INSERT INTO shop.order_messages (order_id, created_at, from_shop, author, body)
SELECT m.order_id, m.read_at, true, 'support',
	CASE c.locale WHEN 'en' THEN 'Hello, thank you for your message: it is done, and you can follow your order at any time.'
		WHEN 'es' THEN 'Hola, gracias por su mensaje: ya está hecho, y puede seguir su pedido en todo momento.'
		WHEN 'de' THEN 'Guten Tag, danke für Ihre Nachricht: Es ist erledigt, und Sie können Ihre Bestellung jederzeit verfolgen.'
		ELSE 'Bonjour, merci pour votre message : c''est fait, et vous pouvez suivre votre commande à tout moment.' END
  FROM shop.order_messages m JOIN shop.orders o ON o.id = m.order_id JOIN shop.customers c ON c.id = o.customer_id
 WHERE NOT m.from_shop AND m.read_at IS NOT NULL ORDER BY m.read_at, m.id;
