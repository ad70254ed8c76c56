-- Log-ins that have ended, and codes that nobody can use any more, away. Bounded, as all housekeeping.
CREATE OR REPLACE FUNCTION souk.login_housekeep() RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
	speaker text := coalesce(current_setting('souk.kind', true), '');
	sessions bigint;
	codes bigint;
BEGIN
	PERFORM set_config('souk.kind', 'system', true);
	DELETE FROM souk.sessions WHERE hash IN (SELECT hash FROM souk.sessions WHERE expires_at < now() LIMIT 10000);
	GET DIAGNOSTICS sessions = ROW_COUNT;
	-- A day longer, for whoever looks into what happened.
	DELETE FROM souk.login_codes WHERE id IN (SELECT id FROM souk.login_codes WHERE expires_at < now() - interval '1 day' LIMIT 10000);
	GET DIAGNOSTICS codes = ROW_COUNT;
	DELETE FROM souk.ended_handles WHERE hash IN (SELECT hash FROM souk.ended_handles WHERE expires_at < now() LIMIT 10000);
	PERFORM set_config('souk.kind', speaker, true);
	RETURN json_build_object('sessions', sessions, 'codes', codes);
END
$$;
REVOKE ALL ON FUNCTION souk.login_housekeep() FROM PUBLIC;
