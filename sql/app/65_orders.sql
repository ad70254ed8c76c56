-- What happens to an order after it was placed. Everything that writes here is SECURITY DEFINER: the web role cannot write these tables
-- itself, and row-level security, which is forced on the owner too, still shows a caller only the orders that are theirs.

-- Events and messages are seen by whoever sees the order.
DROP POLICY IF EXISTS of_order ON shop.order_events;
CREATE POLICY of_order ON shop.order_events
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id));
DROP POLICY IF EXISTS of_order ON shop.order_messages;
CREATE POLICY of_order ON shop.order_messages
	USING ((SELECT souk.sees_all()) OR EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id));

-- Who speaks, for the record: customer:12, the person who allowed an assistant, the token's name, else the kind.
CREATE OR REPLACE FUNCTION souk.actor() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text := coalesce(nullif(current_setting('souk.kind', true), ''), 'anonymous');
	token text := coalesce(current_setting('souk.token_id', true), '');
BEGIN
	IF souk.me() IS NOT NULL THEN
		RETURN 'customer:' || souk.me();
	ELSIF token <> '' THEN
		RETURN coalesce((SELECT coalesce(g.name || ' by ' || t.name, t.name) FROM souk.tokens t LEFT JOIN souk.oauth_grants g ON g.id = t.grant_id
			WHERE t.id = token), kind || ':' || left(token, 64));
	END IF;
	RETURN kind;
END
$$;

-- Write down who changed what.
CREATE OR REPLACE FUNCTION souk.audit_note(action text, target text, details jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO souk.audit (actor, action, target, details) VALUES (souk.actor(), action, target, coalesce(details, '{}'));
END
$$;

-- Change stock by so many units, with a reason; SK409 when there are not enough. Returns what there is afterwards. variant NULL: a product
-- without variants. order_id NULL: not for an order. For functions that have decided already whether the speaker may.
CREATE OR REPLACE FUNCTION shop.stock_add(product bigint, variant bigint, delta integer, reason text, for_order bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	now_there integer;
BEGIN
	IF variant IS NOT NULL THEN
		UPDATE shop.product_variants v SET stock = v.stock + delta, updated_at = now()
		 WHERE v.id = variant AND v.product_id = product AND (delta >= 0 OR v.stock + delta >= 0) RETURNING v.stock INTO now_there;
	ELSE
		UPDATE shop.products p SET stock = p.stock + delta, updated_at = now()
		 WHERE p.id = product AND p.variant_count = 0 AND (delta >= 0 OR p.stock + delta >= 0) RETURNING p.stock INTO now_there;
	END IF;
	IF now_there IS NULL THEN
		PERFORM souk.fail('SK409', 'there are not enough units in stock');
	END IF;
	INSERT INTO shop.stock_moves (product_id, variant_id, order_id, delta, stock, reason, actor)
	VALUES (product, variant, for_order, delta, now_there, reason, souk.actor());
	RETURN now_there;
END
$$;

-- Put back what an order has taken (order_items.stock_taken), in the order of products, so that two callers cannot block each other.
-- A product or variant that is gone takes nothing back.
CREATE OR REPLACE FUNCTION shop.order_restock(which bigint, why text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	line record;
	units integer := 0;
BEGIN
	PERFORM FROM shop.products p WHERE p.id IN (SELECT i.product_id FROM shop.order_items i WHERE i.order_id = which AND i.stock_taken > 0)
		ORDER BY p.id FOR NO KEY UPDATE;
	FOR line IN
		SELECT i.id, i.product_id, i.variant_id, i.stock_taken AS n,
			CASE WHEN i.variant_id IS NULL THEN p.variant_count = 0 ELSE true END AS takes
		  FROM shop.order_items i LEFT JOIN shop.products p ON p.id = i.product_id
		 WHERE i.order_id = which AND i.stock_taken > 0 ORDER BY i.product_id, i.variant_id, i.id
	LOOP
		IF line.product_id IS NOT NULL AND line.takes THEN
			PERFORM shop.stock_add(line.product_id, line.variant_id, line.n, why, which);
			units := units + line.n;
		END IF;
		UPDATE shop.order_items i SET stock_taken = 0 WHERE i.id = line.id;
	END LOOP;
	RETURN units;
END
$$;

CREATE OR REPLACE FUNCTION shop.order_note(which bigint, what text, was text, becomes text, why text, more jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made bigint;
BEGIN
	INSERT INTO shop.order_events (order_id, kind, from_status, to_status, actor_kind, actor, reason, data)
	VALUES (which, what, was, becomes, coalesce(nullif(current_setting('souk.kind', true), ''), 'anonymous'), souk.actor(),
		coalesce(why, ''), coalesce(more, '{}')) RETURNING id INTO made;
	RETURN made;
END
$$;

-- Tell the buyer, and whoever subscribed to events, of a step. A step is told once, however often it is asked for.
CREATE OR REPLACE FUNCTION shop.order_tell(o shop.orders, reason text, more jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	template text := CASE o.status WHEN 'PAID' THEN 'payment_received' WHEN 'SHIPPED' THEN 'order_shipped'
		WHEN 'DELIVERED' THEN 'order_delivered' WHEN 'CANCELLED' THEN 'order_cancelled' END;
	facts jsonb := jsonb_build_object('orderId', o.id::text, 'orderNumber', o.number, 'status', o.status,
		'total', souk.money(o.total_minor, o.currency), 'currency', o.currency, 'reason', nullif(reason, '')) || coalesce(more, '{}');
BEGIN
	IF template IS NULL THEN
		RETURN;
	END IF;
	facts := jsonb_strip_nulls(facts);
	PERFORM souk.notify(template, o.customer_id, NULL, NULL, facts, template || ':' || o.id);
	PERFORM souk.emit('order.' || lower(o.status), o.number, facts);
END
$$;

-- The only way an order's status changes. The row is locked first, so of two steps at once the second sees what the first has done: SK409
-- where no such step exists any more, SK403 where the speaker may not take it, SK404 where they do not see the order.
-- Cancelling puts stock back and asks for the refund of what was paid. data is kept with the event and sent along with the notice.
CREATE OR REPLACE FUNCTION shop.order_move(order_id bigint, to_status text, reason text, data jsonb) RETURNS shop.orders
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o shop.orders;
	was text;
	by_customer boolean;
BEGIN
	SELECT * INTO o FROM shop.orders x WHERE x.id = order_move.order_id AND shop.order_is_mine(x) FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM souk.fail('SK404', 'there is no such order');
	END IF;
	SELECT t.customer INTO by_customer FROM shop.order_transitions t WHERE t.from_status = o.status AND t.to_status = order_move.to_status;
	IF NOT FOUND THEN
		PERFORM souk.fail('SK409', format('order %s is %s and cannot become %s', o.number, o.status, left(order_move.to_status, 20)));
	ELSIF NOT by_customer AND NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', format('only the shop can make an order %s', order_move.to_status));
	END IF;
	was := o.status;
	UPDATE shop.orders x SET status = order_move.to_status, updated_at = now(),
		paid_at = CASE WHEN order_move.to_status = 'PAID' THEN coalesce(x.paid_at, now()) ELSE x.paid_at END,
		shipped_at = CASE WHEN order_move.to_status = 'SHIPPED' THEN now() ELSE x.shipped_at END,
		delivered_at = CASE WHEN order_move.to_status = 'DELIVERED' THEN now() ELSE x.delivered_at END,
		cancelled_at = CASE WHEN order_move.to_status = 'CANCELLED' THEN now() ELSE x.cancelled_at END,
		cancel_reason = CASE WHEN order_move.to_status = 'CANCELLED' THEN nullif(left(reason, 500), '') ELSE x.cancel_reason END
	 WHERE x.id = o.id RETURNING * INTO o;
	PERFORM shop.order_note(o.id, 'status', was, o.status, left(reason, 500), data);
	IF o.status = 'CANCELLED' THEN
		PERFORM shop.order_restock(o.id, 'cancelled');
		PERFORM shop.order_refund_rest(o);
	END IF;
	PERFORM shop.order_tell(o, reason, data);
	RETURN o;
END
$$;

-- Ask for what was paid of a cancelled order.
CREATE OR REPLACE FUNCTION shop.order_refund_rest(o shop.orders) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF o.paid_at IS NOT NULL THEN
		PERFORM shop.refund_request(o.id, NULL, 'cancelled', 'cancel:' || o.id);
	END IF;
END
$$;
