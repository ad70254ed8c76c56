-- Schemas and extensions. All three extensions are trusted, so the owner of a database may create them without
-- being superuser. Where the host has installed them already (usually in public) they stay where they are; souk's
-- functions look in souk, then in public.
CREATE SCHEMA IF NOT EXISTS souk;
CREATE SCHEMA IF NOT EXISTS shop;

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA souk;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA souk;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch WITH SCHEMA souk;

REVOKE ALL ON SCHEMA souk, shop FROM PUBLIC;

-- Texts are compared without accents and case: "Étagère" and "etagere" are the same word. unaccent() itself is only
-- STABLE because its dictionary could be replaced; nothing in souk replaces it, and indexes need IMMUTABLE.
CREATE FUNCTION souk.fold(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = souk, public, pg_temp
AS $$ SELECT lower(unaccent('unaccent', $1)) $$;

-- A part of a URL: ASCII letters and digits with single hyphens.
CREATE FUNCTION souk.slug(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT trim(BOTH '-' FROM regexp_replace(souk.fold($1), '[^a-z0-9]+', '-', 'g')) $$;
