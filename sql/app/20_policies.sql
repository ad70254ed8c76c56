-- Row-level security. Staff, services and the system see every row; a customer sees what is theirs; a guest the one order that they
-- have proven, with what belongs to it; anybody else, and a connection that has not said who speaks, sees nothing. The sub-selects make PostgreSQL evaluate the settings once
-- per statement, not once per row.

DROP POLICY IF EXISTS all_or_own ON shop.customers;
CREATE POLICY all_or_own ON shop.customers
	USING ((SELECT souk.sees_all()) OR id = (SELECT souk.me()));

DROP POLICY IF EXISTS all_or_own ON shop.orders;
CREATE POLICY all_or_own ON shop.orders
	USING ((SELECT souk.sees_all()) OR customer_id = (SELECT souk.me()) OR id = (SELECT souk.my_order()));

DROP POLICY IF EXISTS all_or_own ON shop.order_items;
CREATE POLICY all_or_own ON shop.order_items
	USING ((SELECT souk.sees_all()) OR order_id = (SELECT souk.my_order())
		OR EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id AND o.customer_id = (SELECT souk.me())));

DROP POLICY IF EXISTS all_or_own ON shop.shipments;
CREATE POLICY all_or_own ON shop.shipments
	USING ((SELECT souk.sees_all()) OR order_id = (SELECT souk.my_order())
		OR EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id AND o.customer_id = (SELECT souk.me())));

-- Published reviews are public; who wrote them is kept from the web role by column privileges.
DROP POLICY IF EXISTS all_or_own ON shop.reviews;
CREATE POLICY all_or_own ON shop.reviews
	USING ((SELECT souk.sees_all()) OR customer_id = (SELECT souk.me()));
DROP POLICY IF EXISTS published ON shop.reviews;
CREATE POLICY published ON shop.reviews FOR SELECT
	USING (status = 'published');

DROP POLICY IF EXISTS all_or_own ON souk.preferences;
CREATE POLICY all_or_own ON souk.preferences
	USING ((SELECT souk.sees_all()) OR customer_id = (SELECT souk.me()));

-- The program writes down every call, whoever made it.
DROP POLICY IF EXISTS all_or_own ON souk.interactions;
CREATE POLICY all_or_own ON souk.interactions
	USING ((SELECT souk.sees_all()) OR customer_id = (SELECT souk.me()));
DROP POLICY IF EXISTS append ON souk.interactions;
CREATE POLICY append ON souk.interactions FOR INSERT
	WITH CHECK (true);

-- Whoever searches may report a click; who runs the shop reads them.
DROP POLICY IF EXISTS report ON souk.search_clicks;
CREATE POLICY report ON souk.search_clicks USING ((SELECT souk.sees_all()));
DROP POLICY IF EXISTS append ON souk.search_clicks;
CREATE POLICY append ON souk.search_clicks FOR INSERT
	WITH CHECK (true);

-- Log-ins are souk's own business, whoever logs in.
DROP POLICY IF EXISTS all_or_none ON souk.staff;
CREATE POLICY all_or_none ON souk.staff USING ((SELECT souk.is_system()));
DROP POLICY IF EXISTS all_or_none ON souk.staff_recovery;
CREATE POLICY all_or_none ON souk.staff_recovery USING ((SELECT souk.is_system()));
DROP POLICY IF EXISTS all_or_none ON souk.sessions;
CREATE POLICY all_or_none ON souk.sessions USING ((SELECT souk.is_system()));
DROP POLICY IF EXISTS all_or_none ON souk.login_codes;
CREATE POLICY all_or_none ON souk.login_codes USING ((SELECT souk.is_system()));
DROP POLICY IF EXISTS all_or_none ON souk.ended_handles;
CREATE POLICY all_or_none ON souk.ended_handles USING ((SELECT souk.is_system()));
