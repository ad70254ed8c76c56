-- Who sees what of customer service. Policies, rules and frequent questions are public.

-- A customer's own, a visitor's with their handle, and those about an order with whoever sees the order.
DROP POLICY IF EXISTS all_or_own ON shop.tickets;
CREATE POLICY all_or_own ON shop.tickets
	USING ((SELECT souk.sees_all()) OR customer_id = (SELECT souk.me()) OR visitor = (SELECT souk.visitor())
		OR EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id));

-- Notes that staff writes for itself are nobody else's.
DROP POLICY IF EXISTS of_ticket ON shop.ticket_messages;
CREATE POLICY of_ticket ON shop.ticket_messages
	USING ((SELECT souk.sees_all()) OR (NOT internal AND EXISTS (SELECT FROM shop.tickets t WHERE t.id = ticket_id)));

DROP POLICY IF EXISTS of_ticket ON shop.escalations;
CREATE POLICY of_ticket ON shop.escalations
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.tickets t WHERE t.id = ticket_id));

DROP POLICY IF EXISTS all_or_own ON shop.returns;
CREATE POLICY all_or_own ON shop.returns
	USING ((SELECT souk.sees_all()) OR customer_id = (SELECT souk.me()) OR order_id = (SELECT souk.my_order()));

DROP POLICY IF EXISTS of_return ON shop.return_items;
CREATE POLICY of_return ON shop.return_items
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.returns r WHERE r.id = return_id));

DROP POLICY IF EXISTS of_return ON shop.return_events;
CREATE POLICY of_return ON shop.return_events
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.returns r WHERE r.id = return_id));
