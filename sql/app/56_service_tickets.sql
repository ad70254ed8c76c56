-- Tickets and hand-overs to people. What writes is SECURITY DEFINER and asks itself who speaks; row-level security (58_service_access.sql), forced
-- on the owner too, asks again.

-- TKT-7K2M9QXA: 40 random bits in letters and digits that are not mistaken for each other.
CREATE OR REPLACE FUNCTION shop.service_number(prefix text) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	random bytea := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
	made text := '';
	i integer;
BEGIN
	FOREACH i IN ARRAY ARRAY[0, 1, 2, 3, 4, 5, 10, 11] LOOP -- bytes of a random UUID that are random throughout
		made := made || substr('23456789ABCDEFGHJKLMNPQRSTUVWXYZ', 1 + get_byte(random, i) % 32, 1);
	END LOOP;
	RETURN prefix || '-' || made;
END
$$;

-- May the speaker act for this order? Asked by functions that run as the owner, whom PostgreSQL may not hold to row-level security.
CREATE OR REPLACE FUNCTION shop.order_is_mine(o shop.orders) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT coalesce(souk.sees_all() OR o.customer_id = souk.me() OR o.id = souk.my_order(), false) $$;

-- The order that the speaker means by id or number, of those that they may act for. SK404 for any other.
CREATE OR REPLACE FUNCTION shop.order_for_speaker(wanted text) RETURNS shop.orders
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	o shop.orders;
BEGIN
	SELECT x.* INTO o FROM shop.orders x
	 WHERE x.id = shop.order_find(wanted, NULL) AND shop.order_is_mine(x);
	IF o.id IS NULL THEN
		PERFORM souk.fail('SK404', 'orderId: there is no such order');
	END IF;
	RETURN o;
END
$$;

CREATE OR REPLACE FUNCTION shop.ticket_is_mine(t shop.tickets) RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT coalesce(souk.sees_all() OR t.customer_id = souk.me() OR t.visitor = souk.visitor()
	OR EXISTS (SELECT FROM shop.orders o WHERE o.id = t.order_id AND shop.order_is_mine(o)), false)
$$;

-- The same of all tickets, by their indexes: for speakers who do not see all.
CREATE OR REPLACE FUNCTION shop.my_tickets() RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	me bigint := souk.me();
	proven bigint := souk.my_order();
	handle text := souk.visitor();
BEGIN
	RETURN ARRAY(SELECT t.id FROM shop.tickets t WHERE t.customer_id = me
		UNION SELECT t.id FROM shop.tickets t WHERE t.visitor = handle
		UNION SELECT t.id FROM shop.tickets t WHERE t.order_id = proven
		UNION SELECT t.id FROM shop.orders o JOIN shop.tickets t ON t.order_id = o.id WHERE o.customer_id = me);
END
$$;

CREATE OR REPLACE FUNCTION shop.ticket_for_speaker(wanted text) RETURNS shop.tickets
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	t shop.tickets;
BEGIN
	SELECT x.* INTO t FROM shop.tickets x
	 WHERE (x.number = upper(trim(wanted)) OR x.id = CASE WHEN wanted ~ '^[0-9]{1,18}$' THEN wanted::bigint END) AND shop.ticket_is_mine(x)
	 ORDER BY x.id LIMIT 1;
	IF t.id IS NULL THEN
		PERFORM souk.fail('SK404', 'ticketId: there is no such ticket');
	END IF;
	RETURN t;
END
$$;

-- A ticket as whoever speaks may see it: internal notes are for staff.
CREATE OR REPLACE FUNCTION shop.ticket_json(t shop.tickets, with_messages boolean) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	staff boolean := souk.sees_all();
BEGIN
	RETURN json_strip_nulls(json_build_object(
		'ticketId', t.id::text,
		'ticketNumber', t.number,
		'status', t.status,
		'category', t.category,
		'priority', t.priority,
		'subject', t.subject,
		'orderNumber', (SELECT o.number FROM shop.orders o WHERE o.id = t.order_id),
		'escalated', EXISTS (SELECT FROM shop.escalations e WHERE e.ticket_id = t.id AND e.closed_at IS NULL),
		'createdAt', souk.rfc3339(t.created_at),
		'updatedAt', souk.rfc3339(t.updated_at),
		'solvedAt', souk.rfc3339(t.solved_at),
		'emailVerified', t.email_verified,
		'assignedTo', CASE WHEN staff THEN t.assigned_to END,
		'name', CASE WHEN staff THEN t.name END,
		'customerId', CASE WHEN staff THEN t.customer_id::text END,
		'email', CASE WHEN staff THEN coalesce(t.email, (SELECT c.email FROM shop.customers c WHERE c.id = t.customer_id)) END,
		'messages', CASE WHEN with_messages THEN (
			SELECT coalesce(json_agg(json_strip_nulls(json_build_object('author', m.author, 'text', m.body, 'createdAt', souk.rfc3339(m.created_at),
				'internal', CASE WHEN m.internal THEN true END, 'writtenBy', CASE WHEN staff THEN m.written_by END)) ORDER BY m.id), '[]')
			  FROM (SELECT x.* FROM shop.ticket_messages x WHERE x.ticket_id = t.id AND (staff OR NOT x.internal) ORDER BY x.id DESC LIMIT 100) m) END));
END
$$;

-- Tell the customer of a ticket; nobody is told who left no address. An address that nobody has verified gets answers, and nothing that a stranger has written.
CREATE OR REPLACE FUNCTION shop.ticket_tell(t shop.tickets, template text, message text, dedupe text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF (t.customer_id IS NULL AND t.email IS NULL) OR (template = 'ticket_created' AND NOT t.email_verified) THEN
		RETURN;
	END IF;
	PERFORM souk.notify(template, t.customer_id, CASE WHEN t.customer_id IS NULL THEN t.email END, t.locale,
		jsonb_strip_nulls(jsonb_build_object('ticketNumber', t.number, 'subject', CASE WHEN t.email_verified IS DISTINCT FROM false THEN t.subject END,
			'status', t.status, 'message', message)), dedupe);
END
$$;

-- Write a ticket for whoever speaks. args: subject, description, category, priority, orderId, name, email, locale, conversationId (of a
-- hand-over). A guest with the visitor "contact:..." has written before, or writes for the first time (56_service_visitors.sql).
CREATE OR REPLACE FUNCTION shop.ticket_write(args jsonb) RETURNS shop.tickets
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text := current_setting('souk.kind', true);
	o shop.orders;
	t shop.tickets;
	mail text := nullif(trim(args->>'email'), '');
	contact boolean := coalesce(kind = 'guest' AND souk.my_order() IS NULL AND souk.visitor() LIKE 'contact:%', false);
	before shop.tickets;
BEGIN
	IF coalesce(kind, '') NOT IN ('customer', 'guest', 'staff', 'service', 'system') OR (kind = 'customer' AND souk.me() IS NULL)
		OR (kind = 'guest' AND souk.my_order() IS NULL AND NOT contact)
	THEN
		PERFORM souk.fail('SK401', 'log in first, or prove an order by its number and e-mail address');
	END IF;
	IF args->>'orderId' IS NOT NULL THEN
		o := shop.order_for_speaker(args->>'orderId');
	ELSIF kind = 'guest' THEN
		SELECT x.* INTO o FROM shop.orders x WHERE x.id = souk.my_order();
	END IF;
	t.customer_id := CASE WHEN souk.me() IS NOT NULL THEN souk.me() WHEN souk.sees_all() THEN o.customer_id END;
	t.email := CASE WHEN kind = 'customer' THEN NULL WHEN kind = 'guest' THEN o.email ELSE coalesce(mail, o.email) END;
	t.name := nullif(btrim(args->>'name'), '');
	IF contact THEN
		SELECT x.* INTO before FROM shop.tickets x WHERE x.visitor = souk.visitor() AND x.email_verified ORDER BY x.id LIMIT 1;
		t.email := coalesce(before.email, mail);
		t.name := coalesce(t.name, before.name);
		t.customer_id := before.customer_id;
		t.email_verified := before.id IS NOT NULL;
	END IF;
	IF souk.sees_all() AND t.customer_id IS NULL AND t.email IS NOT NULL AND o.id IS NULL THEN
		SELECT c.id INTO t.customer_id FROM shop.customers c WHERE lower(c.email) = lower(t.email);
	END IF;
	t.visitor := CASE WHEN contact THEN souk.visitor() END;
	IF souk.sees_all() AND t.customer_id IS NULL AND t.email IS NULL AND args->>'conversationId' IS NOT NULL THEN
		t.visitor := left('conversation:' || (args->>'conversationId'), 200); -- staff answers there
	ELSIF t.customer_id IS NULL AND t.email IS NULL AND kind <> 'guest' THEN
		PERFORM souk.fail('SK400', 'email: is needed, or nobody could answer');
	END IF;
	-- Somebody who floods staff is stopped, whatever the rate limits allow.
	IF NOT souk.sees_all() AND (SELECT count(*) FROM shop.tickets x WHERE x.id = ANY (shop.my_tickets()) AND x.created_at > now() - interval '1 day') >= 20 THEN
		PERFORM souk.fail('SK429', 'there are twenty tickets of today already; reply to one of them');
	END IF;
	INSERT INTO shop.tickets (customer_id, order_id, number, category, priority, locale, subject, visitor, email, name, email_verified,
		opened_by)
	VALUES (t.customer_id, o.id, shop.service_number('TKT'), coalesce(args->>'category', 'other'), coalesce(args->>'priority', 'medium'),
		left(souk.locale(args->>'locale'), 2), args->>'subject', t.visitor, t.email, t.name, t.email_verified,
		CASE WHEN contact THEN 'visitor' ELSE kind END)
	RETURNING * INTO t;
	INSERT INTO shop.ticket_messages (ticket_id, author, body, written_by)
	VALUES (t.id, CASE WHEN souk.sees_all() THEN 'staff' ELSE 'customer' END, args->>'description',
		CASE WHEN souk.sees_all() THEN souk.actor() END);
	PERFORM shop.ticket_tell(t, 'ticket_created', args->>'description', 'ticket_created:' || t.number);
	PERFORM souk.emit('ticket.created', t.number, jsonb_build_object('ticketId', t.id::text, 'ticketNumber', t.number, 'category', t.category,
		'priority', t.priority, 'subject', t.subject, 'orderNumber', o.number, 'customerId', t.customer_id::text, 'emailVerified', t.email_verified));
	RETURN t;
END
$$;

CREATE OR REPLACE FUNCTION shop.ticket_open(args jsonb) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	t shop.tickets := shop.ticket_write(args);
BEGIN
	RETURN shop.ticket_json(t, true);
END
$$;

-- A reply. Staff's is sent to the customer and leaves the ticket waiting for them, an internal note is for staff only; the customer's opens it again.
CREATE OR REPLACE FUNCTION shop.ticket_reply(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t shop.tickets := shop.ticket_for_speaker(args->>'ticketId');
	staff boolean := souk.sees_all();
	note boolean := coalesce((args->>'internal')::boolean, false);
	message bigint;
BEGIN
	IF note AND NOT staff THEN
		PERFORM souk.fail('SK403', 'internal: is for staff');
	END IF;
	SELECT x.* INTO t FROM shop.tickets x WHERE x.id = t.id FOR UPDATE;
	IF t.status = 'closed' THEN
		PERFORM souk.fail('SK409', 'the ticket ' || t.number || ' is closed; open a new one');
	END IF;
	IF (SELECT count(*) FROM shop.ticket_messages m WHERE m.ticket_id = t.id) >= 500 THEN
		PERFORM souk.fail('SK409', 'the ticket ' || t.number || ' is full; open a new one');
	END IF;
	INSERT INTO shop.ticket_messages (ticket_id, author, internal, body, written_by)
	VALUES (t.id, CASE WHEN staff THEN 'staff' ELSE 'customer' END, note, args->>'message', CASE WHEN staff THEN souk.actor() END)
	RETURNING id INTO message;
	UPDATE shop.tickets x SET updated_at = now(),
		status = CASE WHEN note THEN x.status WHEN staff THEN 'waiting' ELSE 'open' END,
		solved_at = CASE WHEN note THEN x.solved_at END,
		first_reply_at = CASE WHEN staff AND NOT note THEN coalesce(x.first_reply_at, now()) ELSE x.first_reply_at END
	 WHERE x.id = t.id RETURNING x.* INTO t;
	IF staff AND NOT note THEN
		UPDATE shop.escalations e SET taken_at = now(), taken_by = souk.actor() WHERE e.ticket_id = t.id AND e.taken_at IS NULL AND e.closed_at IS NULL;
		PERFORM shop.ticket_tell(t, 'ticket_reply', args->>'message', 'ticket_reply:' || t.number || ':' || message);
	END IF;
	RETURN shop.ticket_json(t, true);
END
$$;

-- What staff decides about a ticket: status, priority, assignedTo.
CREATE OR REPLACE FUNCTION shop.ticket_update(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t shop.tickets;
BEGIN
	IF NOT souk.sees_all() THEN
		PERFORM souk.fail('SK403', 'this is for staff');
	END IF;
	t := shop.ticket_for_speaker(args->>'ticketId');
	UPDATE shop.tickets x SET updated_at = now(), status = coalesce(args->>'status', x.status), priority = coalesce(args->>'priority', x.priority),
		assigned_to = CASE WHEN args ? 'assignedTo' THEN nullif(args->>'assignedTo', '') ELSE x.assigned_to END,
		solved_at = CASE WHEN coalesce(args->>'status', x.status) IN ('solved', 'closed') THEN coalesce(x.solved_at, now()) END
	 WHERE x.id = t.id RETURNING x.* INTO t;
	IF t.status IN ('solved', 'closed') THEN
		UPDATE shop.escalations e SET closed_at = now() WHERE e.ticket_id = t.id AND e.closed_at IS NULL;
	END IF;
	RETURN shop.ticket_json(t, true);
END
$$;

-- Tickets that the speaker may see, the latest first. args: status, category, query, limit, cursor.
CREATE OR REPLACE FUNCTION shop.ticket_list(args jsonb) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	start integer := souk.cursor_offset(args->>'cursor');
	page_size integer := coalesce((args->>'limit')::integer, 20);
	mine bigint[] := CASE WHEN NOT souk.sees_all() THEN shop.my_tickets() END;
	word text := '%' || replace(replace(replace(coalesce(args->>'query', ''), '\', '\\'), '%', '\%'), '_', '\_') || '%';
	result json;
BEGIN
	WITH hit AS MATERIALIZED (
		SELECT t.id, t.created_at FROM shop.tickets t
		 WHERE (mine IS NULL OR t.id = ANY (mine))
		   AND (args->>'status' IS NULL OR t.status = args->>'status') AND (args->>'category' IS NULL OR t.category = args->>'category')
		   AND (args->>'query' IS NULL OR t.subject ILIKE word OR t.number ILIKE word)
		 ORDER BY t.created_at DESC, t.id DESC LIMIT 10000
	), page AS (
		SELECT x.id FROM hit x ORDER BY x.created_at DESC, x.id DESC OFFSET start LIMIT page_size
	)
	SELECT json_strip_nulls(json_build_object(
		'tickets', (SELECT coalesce(json_agg(shop.ticket_json(t, false) ORDER BY t.created_at DESC, t.id DESC), '[]')
			  FROM page p JOIN shop.tickets t ON t.id = p.id),
		'total', (SELECT count(*) FROM hit),
		'nextCursor', souk.cursor_next(start, page_size, (SELECT count(*) FROM hit)))) INTO result;
	RETURN result;
END
$$;

-- ---- hand-over to a person

-- How many wait before this one, whoever they are: only the number leaves.
CREATE OR REPLACE FUNCTION shop.escalations_ahead(which bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	ahead bigint;
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	ahead := (SELECT count(*) FROM shop.escalations e, shop.escalations mine
		 WHERE mine.id = which AND e.id <> which AND e.taken_at IS NULL AND e.closed_at IS NULL
		   AND (array_position('{urgent,high,medium,low}'::text[], e.priority), e.id)
			< (array_position('{urgent,high,medium,low}'::text[], mine.priority), mine.id));
	PERFORM set_config('souk.kind', speaker, true);
	RETURN ahead;
END
$$;

-- Is somebody there? The setting support.hours: {"days": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "timezone": "Europe/Paris"}; Monday is 1.
-- NULL when the shop does not tell.
CREATE OR REPLACE FUNCTION shop.support_open(moment timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	hours jsonb := (SELECT s.value FROM souk.settings s WHERE s.key = 'support.hours');
	there timestamp;
BEGIN
	IF hours IS NULL THEN
		RETURN NULL;
	END IF;
	there := moment AT TIME ZONE coalesce(hours->>'timezone', 'UTC');
	RETURN hours->'days' @> to_jsonb(extract(isodow FROM there)::integer) AND there::time >= (hours->>'from')::time
		AND there::time < (hours->>'to')::time;
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;                                 -- what the owner wrote there is no such thing
END
$$;

-- args: conversationId, reason, priority or urgency, orderId, name, email, locale. The same conversation is handed over once.
CREATE OR REPLACE FUNCTION shop.escalate(args jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted text := coalesce(args->>'priority', args->>'urgency', 'medium');
	e shop.escalations;
	t shop.tickets;
	is_new boolean := false;
BEGIN
	IF args->>'conversationId' IS NOT NULL THEN
		PERFORM pg_advisory_xact_lock(hashtextextended('souk.escalate ' || (args->>'conversationId'), 0));
		SELECT x.* INTO e FROM shop.escalations x JOIN shop.tickets y ON y.id = x.ticket_id
		 WHERE x.conversation_id = args->>'conversationId' AND x.closed_at IS NULL AND shop.ticket_is_mine(y) LIMIT 1;
	END IF;
	IF e.id IS NULL THEN
		t := shop.ticket_write(args || jsonb_build_object('subject', left(args->>'reason', 120), 'description', args->>'reason', 'priority', wanted,
			'category', CASE WHEN args->>'orderId' IS NOT NULL THEN 'order' ELSE 'other' END));
		INSERT INTO shop.escalations (ticket_id, priority, conversation_id, reason)
		VALUES (t.id, wanted, args->>'conversationId', args->>'reason') RETURNING * INTO e;
		is_new := true;
	ELSE
		SELECT y.* INTO t FROM shop.tickets y WHERE y.id = e.ticket_id;
	END IF;
	RETURN json_strip_nulls(json_build_object(
		'escalationId', e.id::text,
		'ticketId', t.id::text,
		'ticketNumber', t.number,
		'conversationId', e.conversation_id,
		'status', CASE WHEN e.taken_at IS NULL THEN 'waiting' ELSE 'taken' END,
		'priority', e.priority,
		'alreadyEscalated', NOT is_new,
		'position', CASE WHEN e.taken_at IS NULL THEN 1 + shop.escalations_ahead(e.id) END,
		'available', shop.support_open(now()),
		'createdAt', souk.rfc3339(e.created_at)));
END
$$;
