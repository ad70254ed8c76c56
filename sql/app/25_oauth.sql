-- OAuth: each step is one function that locks what it looks at, so that two requests with one code or one refresh token cannot both win. They run
-- as the owner; the web role may call them and otherwise only read. Refusals are results, not errors, because what they revoke has to stay.

-- Of what was granted, what the person still holds. Grants name single rights; what is held may be area:* or *.
CREATE OR REPLACE FUNCTION souk.scopes_meet(granted text[], held text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT coalesce(array_agg(g ORDER BY at), '{}') FROM unnest(granted) WITH ORDINALITY AS u (g, at)
WHERE g = ANY (held) OR '*' = ANY (held) OR split_part(g, ':', 1) || ':*' = ANY (held)
$$;

-- What a person holds now: people of the shop their role's scopes; customers what all customers do, which the programs know: everything passes here.
-- NULL when there is nobody any more: the account is closed, the customer erased. Reads tables that show nobody nothing, so it speaks as the system.
CREATE OR REPLACE FUNCTION souk.scopes_of(person_kind text, person_customer bigint, person_staff bigint) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	held text[];
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	IF person_kind = 'customer' THEN
		SELECT '{*}'::text[] INTO held FROM shop.customers c WHERE c.id = person_customer AND c.erased_at IS NULL;
	ELSE
		SELECT r.scopes INTO held FROM souk.staff s JOIN souk.roles r ON r.role = s.role WHERE s.id = person_staff AND s.disabled_at IS NULL;
	END IF;
	PERFORM set_config('souk.kind', speaker, true);
	RETURN held;
END
$$;

-- Programs remember what a token may do: they are told when a person's role changes or their account is closed.
DROP TRIGGER IF EXISTS staff_notify_tokens ON souk.staff;
CREATE TRIGGER staff_notify_tokens AFTER DELETE OR UPDATE OF role, disabled_at ON souk.staff
	FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_tokens();
DROP TRIGGER IF EXISTS roles_notify_tokens ON souk.roles;
CREATE TRIGGER roles_notify_tokens AFTER DELETE OR UPDATE OF scopes ON souk.roles
	FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_tokens();

DROP TRIGGER IF EXISTS customers_notify_tokens ON shop.customers;
CREATE TRIGGER customers_notify_tokens AFTER DELETE OR UPDATE OF erased_at ON shop.customers
	FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_tokens();

-- End a grant with everything that stands for it. Returns whether there was something to end.
CREATE OR REPLACE FUNCTION souk.oauth_end(target bigint, why text, actor text) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE souk.oauth_grants SET revoked_at = now(), revoked_for = why WHERE id = target AND revoked_at IS NULL;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE souk.tokens SET revoked_at = coalesce(revoked_at, now()) WHERE grant_id = target;
	UPDATE souk.oauth_refresh SET used_at = coalesce(used_at, now()) WHERE grant_id = target;
	UPDATE souk.oauth_codes SET used_at = coalesce(used_at, now()) WHERE grant_id = target;
	INSERT INTO souk.audit (actor, action, target, details)
	VALUES (oauth_end.actor, 'oauth.end', oauth_end.target::text, json_build_object('why', why));
	RETURN true;
END
$$;

-- A client that registered itself: 'ok', or 'full' when too many wait to be used. Those that waited for an hour make room.
CREATE OR REPLACE FUNCTION souk.oauth_register(client text, client_name text, home text, redirects text[], method text, secret bytea,
	wanted text[], most integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF (SELECT count(*) FROM souk.oauth_clients WHERE kind IN ('registered', 'document') AND used_at IS NULL) >= most THEN
		DELETE FROM souk.oauth_clients WHERE kind IN ('registered', 'document') AND used_at IS NULL AND created_at < now() - interval '1 hour';
		IF NOT FOUND THEN
			RETURN 'full';
		END IF;
	END IF;
	INSERT INTO souk.oauth_clients (id, kind, auth_method, name, uri, redirect_uris, scopes, secret_hash)
	VALUES (client, 'registered', method, client_name, home, redirects, wanted, secret);
	INSERT INTO souk.audit (actor, action, target, details)
	VALUES ('anonymous', 'oauth.register', client, json_build_object('name', client_name, 'redirect_uris', redirects));
	RETURN 'ok';
END
$$;

-- What a client's metadata document says, as it was read just now.
CREATE OR REPLACE FUNCTION souk.oauth_document(client text, client_name text, home text, redirects text[], most integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE souk.oauth_clients SET name = client_name, uri = home, redirect_uris = redirects, fetched_at = now()
	WHERE id = client AND kind = 'document';
	IF FOUND THEN
		RETURN 'ok';
	END IF;
	IF (SELECT count(*) FROM souk.oauth_clients WHERE kind IN ('registered', 'document') AND used_at IS NULL) >= most THEN
		RETURN 'full';
	END IF;
	INSERT INTO souk.oauth_clients (id, kind, auth_method, name, uri, redirect_uris, fetched_at)
	VALUES (client, 'document', 'none', client_name, home, redirects, now())
	ON CONFLICT (id) DO NOTHING;
	RETURN 'ok';
END
$$;

-- Somebody said yes: a grant, and the code for it, good for a minute. -> the grant's number; NULL when the client is gone.
CREATE OR REPLACE FUNCTION souk.oauth_allow(client text, person_kind text, person_customer bigint, person_staff bigint, person_name text,
	given text[], audience text, code bytea, redirect text, code_challenge text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made bigint;
BEGIN
	UPDATE souk.oauth_clients SET used_at = now() WHERE id = client AND revoked_at IS NULL;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	INSERT INTO souk.oauth_grants (kind, customer_id, staff_id, client_id, name, resource, scopes)
	VALUES (person_kind, person_customer, person_staff, client, person_name, audience, given)
	RETURNING id INTO made;
	INSERT INTO souk.oauth_codes (hash, grant_id, expires_at, redirect_uri, challenge)
	VALUES (code, made, now() + interval '60 seconds', redirect, code_challenge);
	INSERT INTO souk.audit (actor, action, target, details)
	VALUES (person_kind || ':' || coalesce(person_customer, person_staff), 'oauth.allow', client,
		json_build_object('grant', made, 'scopes', given, 'resource', audience));
	RETURN made;
END
$$;

-- An access token and a refresh token for a grant.
CREATE OR REPLACE FUNCTION souk.oauth_give(g souk.oauth_grants, given text[], access_id text, access_hash bytea, access_s integer,
	refresh_hash bytea, refresh_s integer) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO souk.tokens (id, name, hash, scopes, kind, customer_id, expires_at, grant_id, audience)
	VALUES (access_id, g.name, access_hash, given, g.kind, g.customer_id, now() + make_interval(secs => access_s), g.id, g.resource);
	INSERT INTO souk.oauth_refresh (hash, grant_id, expires_at)
	VALUES (refresh_hash, g.id, now() + make_interval(secs => refresh_s));
	UPDATE souk.oauth_grants SET used_at = now() WHERE id = g.id;
END
$$;

-- A code for tokens, once. Whoever brings a code again, or with the wrong client, address or verifier, ends what it stood for.
CREATE OR REPLACE FUNCTION souk.oauth_redeem(code bytea, client text, redirect text, code_challenge text, audience text, access_id text,
	access_hash bytea, access_s integer, refresh_hash bytea, refresh_s integer, OUT status text, OUT scopes text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	k souk.oauth_codes;
	g souk.oauth_grants;
BEGIN
	SELECT * INTO k FROM souk.oauth_codes o WHERE o.hash = code FOR UPDATE;
	IF k.hash IS NULL THEN
		status := 'unknown';
		RETURN;
	END IF;
	SELECT * INTO g FROM souk.oauth_grants o WHERE o.id = k.grant_id FOR UPDATE;
	IF k.used_at IS NOT NULL THEN
		status := CASE WHEN souk.oauth_end(g.id, 'code used twice', client) THEN 'reused' ELSE 'expired' END;
	ELSIF g.client_id <> client OR k.redirect_uri <> redirect OR k.challenge <> code_challenge THEN
		status := CASE WHEN souk.oauth_end(g.id, 'code in wrong hands', client) THEN 'mismatch' ELSE 'expired' END;
	ELSIF k.expires_at <= now() OR g.revoked_at IS NOT NULL OR souk.scopes_of(g.kind, g.customer_id, g.staff_id) IS NULL THEN
		status := 'expired';
	ELSIF audience <> '' AND audience <> g.resource THEN
		status := 'target';
	ELSE
		UPDATE souk.oauth_codes o SET used_at = now() WHERE o.hash = code;
		PERFORM souk.oauth_give(g, g.scopes, access_id, access_hash, access_s, refresh_hash, refresh_s);
		status := 'ok';
		scopes := array_to_string(g.scopes, ' ');
	END IF;
END
$$;

-- A refresh token for new tokens, once; brought again, by whomever, it ends the grant. wanted: '' for all of the grant's scopes, else some of them.
CREATE OR REPLACE FUNCTION souk.oauth_renew(old_hash bytea, client text, audience text, wanted text, access_id text,
	access_hash bytea, access_s integer, refresh_hash bytea, refresh_s integer, OUT status text, OUT scopes text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	k souk.oauth_refresh;
	g souk.oauth_grants;
	given text[];
BEGIN
	SELECT * INTO k FROM souk.oauth_refresh o WHERE o.hash = old_hash FOR UPDATE;
	IF k.hash IS NULL THEN
		status := 'unknown';
		RETURN;
	END IF;
	SELECT * INTO g FROM souk.oauth_grants o WHERE o.id = k.grant_id FOR UPDATE;
	given := CASE WHEN wanted = '' THEN g.scopes ELSE string_to_array(wanted, ' ') END;
	IF g.client_id <> client THEN
		status := CASE WHEN souk.oauth_end(g.id, 'refresh token in wrong hands', client) THEN 'mismatch' ELSE 'expired' END;
	ELSIF k.used_at IS NOT NULL THEN
		status := CASE WHEN souk.oauth_end(g.id, 'refresh token used twice', client) THEN 'reused' ELSE 'expired' END;
	ELSIF k.expires_at <= now() OR g.revoked_at IS NOT NULL OR souk.scopes_of(g.kind, g.customer_id, g.staff_id) IS NULL OR NOT EXISTS (
		SELECT FROM souk.oauth_clients c WHERE c.id = client AND c.revoked_at IS NULL) THEN
		status := 'expired';
	ELSIF audience <> '' AND audience <> g.resource THEN
		status := 'target';
	ELSIF NOT given <@ g.scopes THEN
		status := 'scope';
	ELSE
		UPDATE souk.oauth_refresh o SET used_at = now() WHERE o.hash = old_hash;
		PERFORM souk.oauth_give(g, given, access_id, access_hash, access_s, refresh_hash, refresh_s);
		status := 'ok';
		scopes := array_to_string(given, ' ');
	END IF;
END
$$;

-- A client gives back a token (RFC 7009): a refresh token with its grant, an access token alone. What is not its own stays.
CREATE OR REPLACE FUNCTION souk.oauth_give_back(client text, refresh_hash bytea, access_id text, access_hash bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target bigint;
BEGIN
	SELECT g.id INTO target FROM souk.oauth_refresh r JOIN souk.oauth_grants g ON g.id = r.grant_id
	WHERE r.hash = refresh_hash AND g.client_id = client;
	IF target IS NOT NULL THEN
		RETURN souk.oauth_end(target, 'given back', client);
	END IF;
	UPDATE souk.tokens t SET revoked_at = now() FROM souk.oauth_grants g
	WHERE t.id = access_id AND t.hash = access_hash AND g.id = t.grant_id AND g.client_id = client AND t.revoked_at IS NULL;
	RETURN FOUND;
END
$$;

-- A service signed in.
CREATE OR REPLACE FUNCTION souk.oauth_note_use(client text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
UPDATE souk.oauth_clients SET used_at = now() WHERE id = client AND (used_at IS NULL OR used_at < now() - interval '1 minute')
$$;

-- What has ended goes: codes and tokens after a day, in which a second use is still noticed; clients that nobody used for a month, or whose last grant
-- ended three months ago.
CREATE OR REPLACE FUNCTION souk.oauth_housekeep() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	n bigint;
	gone bigint := 0;
BEGIN
	DELETE FROM souk.oauth_codes WHERE expires_at < now() - interval '1 day';
	GET DIAGNOSTICS n = ROW_COUNT;
	gone := gone + n;
	DELETE FROM souk.tokens WHERE grant_id IS NOT NULL AND expires_at < now() - interval '1 day';
	GET DIAGNOSTICS n = ROW_COUNT;
	gone := gone + n;
	DELETE FROM souk.oauth_refresh WHERE expires_at < now() - interval '1 day';
	GET DIAGNOSTICS n = ROW_COUNT;
	gone := gone + n;
	DELETE FROM souk.oauth_grants g WHERE created_at < now() - interval '1 day' AND (revoked_at < now() - interval '30 days'
		OR NOT EXISTS (SELECT FROM souk.oauth_refresh r WHERE r.grant_id = g.id));
	GET DIAGNOSTICS n = ROW_COUNT;
	gone := gone + n;
	DELETE FROM souk.oauth_clients c WHERE kind IN ('registered', 'document')
		AND coalesce(used_at + interval '90 days', created_at + interval '30 days') < now()
		AND NOT EXISTS (SELECT FROM souk.oauth_grants g WHERE g.client_id = c.id);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN gone + n;
END
$$;
