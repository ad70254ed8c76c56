-- People who have shown nothing write to the shop: create_support_ticket and escalate_to_human of an anonymous caller. Whoever opened the ticket sees
-- nothing of it until they have proven its address with a code; from then on they are a guest with the ticket's visitor, "contact:...".

-- form: ticket or escalation. challenge, hash and code: a one-time code, sent to the address in args.email. -> what the tool answers to others, with
-- verification in front. SK400 without an address, SK429 when that address has twenty of today that nobody has verified.
CREATE OR REPLACE FUNCTION shop.contact_open(form text, args jsonb, challenge text, hash text, code text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	handle text := coalesce(current_setting('souk.visitor', true), '');
	mail text := nullif(btrim(args->>'email'), '');
	made json;
BEGIN
	IF speaker NOT IN ('anonymous', 'visitor') THEN
		PERFORM souk.fail('SK403', 'this is for who has shown nothing');
	ELSIF mail IS NULL THEN
		PERFORM souk.fail('SK400', 'email: is needed, or nobody could answer');
	ELSIF args ? 'orderId' THEN
		PERFORM souk.fail('SK400', 'orderId: prove the order first with guest_start and guest_verify, or write its number into the text');
	END IF;
	PERFORM set_config('souk.kind', 'system', true);
	IF (SELECT count(*) FROM shop.tickets t WHERE lower(t.email) = lower(mail) AND NOT t.email_verified
		AND t.created_at > now() - interval '1 day') >= 20
	THEN
		PERFORM souk.fail('SK429', 'there are twenty messages from this address today already; they are being answered');
	END IF;
	PERFORM set_config('souk.kind', 'guest', true), set_config('souk.visitor', 'contact:' || replace(gen_random_uuid()::text, '-', ''), true);
	made := CASE form WHEN 'ticket' THEN shop.ticket_open(args) WHEN 'escalation' THEN shop.escalate(args) END;
	PERFORM set_config('souk.kind', 'system', true);
	INSERT INTO souk.login_codes (id, purpose, hash, expires_at, ticket_id)
	VALUES (challenge, 'guest', decode(contact_open.hash, 'hex'), now() + interval '10 minutes', (made->>'ticketId')::bigint);
	PERFORM souk.notify('one_time_code', NULL, mail, args->>'locale', jsonb_build_object('code', code, 'minutes', 10), 'code:' || challenge);
	PERFORM set_config('souk.kind', speaker, true), set_config('souk.visitor', handle, true);
	RETURN '{"verification":' || json_build_object('challenge', challenge, 'expiresInS', 600, 'message',
		'The message has arrived; the answer comes by e-mail. To see the answer here too, ask for the six digits that were sent to the address and call guest_verify.')
		|| ',' || substr(made::text, 2);
END
$$;

-- The address of this ticket, and of all that were opened with it, is proven. It is the proof of a customer's log-in too, so a customer finds them in their
-- account. -> the visitor under which they are seen. For souk itself.
CREATE OR REPLACE FUNCTION shop.contact_proven(ticket bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who text := (SELECT t.visitor FROM shop.tickets t WHERE t.id = ticket AND t.visitor LIKE 'contact:%');
	t shop.tickets;
BEGIN
	IF NOT souk.is_system() THEN
		PERFORM souk.fail('SK403', 'for the shop itself');
	END IF;
	FOR t IN
		UPDATE shop.tickets x SET email_verified = true, updated_at = now(), customer_id = coalesce(x.customer_id,
			(SELECT c.id FROM shop.customers c WHERE lower(c.email) = lower(x.email) AND c.erased_at IS NULL ORDER BY c.id LIMIT 1))
		 WHERE x.visitor = who AND NOT x.email_verified RETURNING x.*
	LOOP
		PERFORM shop.ticket_tell(t, 'ticket_created', (SELECT m.body FROM shop.ticket_messages m WHERE m.ticket_id = t.id ORDER BY m.id LIMIT 1),
			'ticket_created:' || t.number);
	END LOOP;
	RETURN who;
END
$$;
