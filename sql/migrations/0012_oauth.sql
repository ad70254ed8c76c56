-- OAuth: who may ask (clients), what somebody granted to one (grants), and what stands for a grant (codes, refresh tokens, access tokens, which are
-- rows of souk.tokens). Codes, secrets and refresh tokens are stored as keyed hashes alone.

CREATE TABLE souk.oauth_clients (
	id text PRIMARY KEY CHECK (length(id) BETWEEN 8 AND 500), -- of a document: its URL
	created_at timestamptz NOT NULL DEFAULT now(),
	fetched_at timestamptz,                          -- document: when it was read
	used_at timestamptz,                             -- the last time that somebody allowed or a service signed in
	revoked_at timestamptz,
	previous_until timestamptz,                      -- the secret before this one is good until then
	kind text NOT NULL CHECK (kind IN ('registered', 'document', 'manual', 'service')),
	auth_method text NOT NULL CHECK (auth_method IN ('none', 'client_secret_basic', 'client_secret_post')),
	name text NOT NULL CHECK (name <> '' AND length(name) <= 100),
	uri text CHECK (length(uri) <= 500),             -- home page
	rate_class text,
	redirect_uris text[] NOT NULL DEFAULT '{}',
	scopes text[] NOT NULL DEFAULT '{}',             -- service: what it holds; others: what they said they would ask for
	ip_allow cidr[],                                 -- service: NULL is from anywhere
	secret_hash bytea,
	previous_hash bytea,
	CHECK ((auth_method = 'none') = (secret_hash IS NULL)),
	CHECK (kind <> 'service' OR secret_hash IS NOT NULL),
	CHECK (cardinality(redirect_uris) <= 20)
);
CREATE INDEX oauth_clients_unused ON souk.oauth_clients (created_at) WHERE kind IN ('registered', 'document') AND used_at IS NULL;

CREATE TABLE souk.oauth_grants (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint REFERENCES shop.customers ON DELETE CASCADE,
	staff_id bigint,                                 -- what that account holds is asked at every use
	created_at timestamptz NOT NULL DEFAULT now(),
	used_at timestamptz,                             -- the last time that a token was given for it
	revoked_at timestamptz,
	kind text NOT NULL CHECK (kind IN ('customer', 'staff')),
	client_id text NOT NULL REFERENCES souk.oauth_clients ON DELETE CASCADE,
	name text NOT NULL,                              -- of the person, for the audit
	resource text NOT NULL,                          -- what the tokens are for
	scopes text[] NOT NULL,
	revoked_for text,                                -- reuse, client, command line
	CHECK ((kind = 'customer') = (customer_id IS NOT NULL)),
	CHECK ((kind = 'staff') = (staff_id IS NOT NULL))
);
CREATE INDEX oauth_grants_client ON souk.oauth_grants (client_id);
CREATE INDEX oauth_grants_customer ON souk.oauth_grants (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX oauth_grants_staff ON souk.oauth_grants (staff_id) WHERE staff_id IS NOT NULL;

CREATE TABLE souk.oauth_codes (
	hash bytea PRIMARY KEY,
	grant_id bigint NOT NULL REFERENCES souk.oauth_grants ON DELETE CASCADE,
	expires_at timestamptz NOT NULL,
	used_at timestamptz,
	redirect_uri text NOT NULL,
	challenge text NOT NULL                          -- S256
);
CREATE INDEX oauth_codes_grant ON souk.oauth_codes (grant_id);
CREATE INDEX oauth_codes_expires ON souk.oauth_codes (expires_at);

CREATE TABLE souk.oauth_refresh (
	hash bytea PRIMARY KEY,
	grant_id bigint NOT NULL REFERENCES souk.oauth_grants ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at timestamptz                              -- it has a successor: whoever brings it again ends the grant
);
CREATE INDEX oauth_refresh_grant ON souk.oauth_refresh (grant_id);
CREATE INDEX oauth_refresh_expires ON souk.oauth_refresh (expires_at);

-- Keys that sign the tokens of service accounts (ES256). The private part is sealed under TOKEN_PEPPER.
CREATE TABLE souk.oauth_keys (
	id text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z]{4,32}$'),
	created_at timestamptz NOT NULL DEFAULT now(),
	retired_at timestamptz,                          -- signs no more, but what it signed stays good
	revoked_at timestamptz,                          -- what it signed is refused
	private_sealed text NOT NULL,
	public_pem text NOT NULL,
	x text NOT NULL,                                 -- the point, base64url
	y text NOT NULL
);

ALTER TABLE souk.tokens ADD COLUMN grant_id bigint REFERENCES souk.oauth_grants ON DELETE CASCADE;
ALTER TABLE souk.tokens ADD COLUMN audience text;
CREATE INDEX tokens_grant ON souk.tokens (grant_id) WHERE grant_id IS NOT NULL;

-- Programs remember tokens: what ends one is told to all. A new one is remembered by nobody yet.
DROP TRIGGER tokens_notify ON souk.tokens;
CREATE TRIGGER tokens_notify
	AFTER DELETE OR TRUNCATE OR UPDATE OF id, name, hash, scopes, kind, customer_id, rate_class, ip_allow,
		expires_at, revoked_at, rotated_from
	ON souk.tokens FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_change();
CREATE FUNCTION souk.notify_tokens() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_notify('souk', 'tokens');
	RETURN NULL;
END
$$;
CREATE TRIGGER oauth_clients_notify
	AFTER DELETE OR TRUNCATE OR UPDATE OF revoked_at, scopes, rate_class, ip_allow, secret_hash
	ON souk.oauth_clients FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_tokens();
CREATE TRIGGER oauth_grants_notify
	AFTER DELETE OR TRUNCATE OR UPDATE OF revoked_at, scopes
	ON souk.oauth_grants FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_tokens();
CREATE TRIGGER oauth_keys_notify
	AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE
	ON souk.oauth_keys FOR EACH STATEMENT EXECUTE FUNCTION souk.notify_tokens();
