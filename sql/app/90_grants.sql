-- Least privilege for programs. They connect as the owner and take the role <owner>_web, which can neither log in nor change
-- the catalogue. Where the owner may not create roles, programs stay the owner, and forced row-level security still
-- keeps customers apart. All privileges are taken away first, so this file alone says what the role may do.
DO $$
DECLARE
	web text := left(current_user, 59) || '_web';
	public_product text[] := ARRAY['categories', 'products', 'product_variants', 'product_pairs', 'product_search',
		'search_words', 'search_queue', 'search_changes', 'search_rows', 'search_categories', 'search_synonyms',
		'currency_rates'];
	t text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = web) THEN
		BEGIN
			EXECUTE format('CREATE ROLE %I NOLOGIN', web);
		EXCEPTION WHEN insufficient_privilege THEN
			RAISE NOTICE 'no role %: % may not create roles', web, current_user;
			RETURN;
		WHEN duplicate_object OR unique_violation THEN
			NULL;                                -- another migration was faster
		END;
	END IF;
	-- Also when it is a member already: since PostgreSQL 16 the membership that comes with CREATE ROLE does not allow SET ROLE.
	BEGIN
		EXECUTE format('GRANT %I TO CURRENT_USER', web);
	EXCEPTION WHEN insufficient_privilege THEN
		RAISE NOTICE 'role % exists, but % may not take it', web, current_user;
		RETURN;
	END;

	EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA shop, souk FROM %I', web);
	EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA shop, souk FROM %I', web);
	EXECUTE format('GRANT USAGE ON SCHEMA shop, souk TO %I', web);

	FOREACH t IN ARRAY public_product LOOP
		EXECUTE format('GRANT SELECT ON shop.%I TO %I', t, web);
	END LOOP;
	EXECUTE format('GRANT SELECT ON shop.customers, shop.orders, shop.order_items, shop.shipments TO %I', web);
	-- Reviews without their customer.
	EXECUTE format('GRANT SELECT (id, product_id, created_at, rating, verified, status, lang, author, title, body)
		ON shop.reviews TO %I', web);

	EXECUTE format('GRANT SELECT ON souk.migrations, souk.settings, souk.alerts, souk.test_runs, souk.preferences TO %I', web);
	EXECUTE format('GRANT SELECT, UPDATE (last_used_at) ON souk.tokens TO %I', web);
	EXECUTE format('GRANT SELECT, INSERT ON souk.interactions, souk.search_clicks TO %I', web);
	EXECUTE format('GRANT INSERT ON souk.audit TO %I', web);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON souk.kv, souk.rate_counters TO %I', web);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE (status, reply) ON souk.idempotency_keys TO %I', web);
	EXECUTE format('GRANT INSERT, UPDATE ON souk.test_runs TO %I', web);

	-- Log-in, which programs do as souk itself.
	EXECUTE format('GRANT SELECT ON souk.roles TO %I', web);
	EXECUTE format('GRANT SELECT, UPDATE (totp_step, last_login_at, password) ON souk.staff TO %I', web);
	EXECUTE format('GRANT SELECT, UPDATE (used_at) ON souk.staff_recovery TO %I', web);
	EXECUTE format('GRANT SELECT, INSERT, DELETE, UPDATE (seen_at) ON souk.sessions TO %I', web);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE (tries, used_at) ON souk.login_codes TO %I', web);
	EXECUTE format('GRANT SELECT, INSERT ON souk.ended_handles TO %I', web);
END
$$;

-- Messages and webhooks: the web role queues through these functions and sees none of their tables.
REVOKE ALL ON FUNCTION souk.notify(text, bigint, text, text, jsonb, text), souk.emit(text, text, jsonb), souk.outbox_housekeep(),
	souk.send_message(text, jsonb, bigint, bigint), souk.unsubscribe(bigint, boolean) FROM PUBLIC;
DO $$
DECLARE
	web text := left(current_user, 59) || '_web';
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = web) THEN
		EXECUTE format('GRANT EXECUTE ON FUNCTION souk.notify(text, bigint, text, text, jsonb, text), souk.emit(text, text, jsonb),
			souk.send_message(text, jsonb, bigint, bigint), souk.unsubscribe(bigint, boolean) TO %I', web);
	END IF;
END
$$;

-- Work for the owner alone. Everything else runs with the caller's rights, so that calling it gives nothing away.
REVOKE ALL ON FUNCTION souk.housekeep(integer), souk.interactions_prepare(integer), souk.interactions_drop(integer),
	shop.refresh_pairs(), shop.refresh_counts(), shop.category_ensure(text) FROM PUBLIC;

-- Orders: read under row-level security; every write goes through functions that check the speaker.
DO $$
DECLARE
	web text := left(current_user, 59) || '_web';
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = web) THEN
		EXECUTE format('GRANT SELECT ON shop.order_events, shop.order_messages, shop.order_transitions, shop.carriers, shop.carrier_transit,
			shop.holidays TO %I', web);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION souk.audit_note(text, text, jsonb), shop.stock_add(bigint, bigint, integer, text, bigint), shop.order_restock(bigint, text),
	shop.order_note(bigint, text, text, text, text, jsonb), shop.order_tell(shop.orders, text, jsonb), shop.order_refund_rest(shop.orders) FROM PUBLIC;

-- Baskets are the speaker's own to write, under row-level security; everything about money goes through functions that check the speaker.
DO $$
DECLARE
	web text := left(current_user, 59) || '_web';
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = web) THEN
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON shop.baskets, shop.basket_items TO %I', web);
		EXECUTE format('GRANT SELECT ON shop.discounts, shop.shipping_rates, shop.payments, shop.refunds TO %I', web);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION shop.order_make(shop.baskets, jsonb, interval), shop.order_buyer(shop.orders, jsonb), shop.stock_recover(bigint[]),
	shop.order_expire(bigint, boolean), shop.payment_close(bigint, text), shop.hold_until(bigint, timestamptz),
	shop.payment_paid(shop.orders, shop.payments, jsonb), shop.payment_unpaid(shop.orders, shop.payments, text, jsonb),
	shop.payment_returned(shop.orders, shop.payments, jsonb), shop.order_refunded(shop.orders, shop.payments, bigint, bigint),
	shop.payment_disputed(shop.orders, shop.payments, text, jsonb), shop.refund_make(bigint, bigint, text, text),
	shop.stripe_buyer(bigint, jsonb), shop.refund_failed(bigint, text), shop.stripe_refund(jsonb, bigint),
	souk.alert(text, text, text, jsonb) FROM PUBLIC;

-- OAuth: programs read who may ask and the keys; each step is a function that decides by itself.
DO $$
DECLARE
	web text := left(current_user, 59) || '_web';
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = web) THEN
		EXECUTE format('GRANT SELECT ON souk.oauth_clients, souk.oauth_grants, souk.oauth_keys TO %I', web);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION souk.oauth_end(bigint, text, text), souk.oauth_give(souk.oauth_grants, text[], text, bytea, integer, bytea, integer),
	souk.oauth_housekeep() FROM PUBLIC;

-- Customer service: read under row-level security; every write goes through functions that check the speaker.
REVOKE ALL ON FUNCTION shop.ticket_write(jsonb), shop.ticket_reply(jsonb), shop.ticket_update(jsonb), shop.escalate(jsonb), shop.escalations_ahead(bigint),
	shop.contact_open(text, jsonb, text, text, text), shop.contact_proven(bigint), shop.return_open(jsonb), shop.return_decide(jsonb),
	shop.return_items_check() FROM PUBLIC;
DO $$
DECLARE
	web text := left(current_user, 59) || '_web';
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = web) THEN
		EXECUTE format('GRANT SELECT ON shop.policies, shop.policy_texts, shop.return_rules, shop.return_reasons, shop.faqs, shop.faq_texts,
			shop.tickets, shop.ticket_messages, shop.escalations, shop.returns, shop.return_items, shop.return_events TO %I', web);
		EXECUTE format('GRANT EXECUTE ON FUNCTION shop.ticket_write(jsonb), shop.ticket_reply(jsonb), shop.ticket_update(jsonb), shop.escalate(jsonb),
			shop.contact_open(text, jsonb, text, text, text), shop.contact_proven(bigint), shop.return_open(jsonb), shop.return_decide(jsonb) TO %I', web);
	END IF;
END
$$;
