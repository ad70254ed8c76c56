/* /oauth/token and /oauth/revoke. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/oauth_internal.h"
#include "core/banned.h"
#include "core/config.h"
#include "core/log.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/shm.h"

#define REFRESH_PREFIX "mcp_ref_"
#define REFRESH_MAX (sizeof(REFRESH_PREFIX) + TOKEN_SECRET_LEN)

/* New tokens, before the database decides whether they come to be. */
struct fresh {
	char access[TOKEN_TEXT_MAX], refresh[REFRESH_MAX];
	char id[TOKEN_ID_LEN + 1], access_hex[2 * TOKEN_HASH_LEN + 1], refresh_hex[2 * TOKEN_HASH_LEN + 1];
	char access_s[24], refresh_s[24];
};

static bool
fresh_make(struct fresh *f)
{
	char secret[TOKEN_SECRET_LEN + 1];
	struct token_text t;

	if (!token_new(f->access, &t) || !secret_new(secret, f->refresh_hex))
		return false;
	memcpy(f->id, t.id, sizeof(f->id));
	sodium_bin2hex(f->access_hex, sizeof(f->access_hex), t.hash, sizeof(t.hash));
	(void)snprintf(f->refresh, sizeof(f->refresh), REFRESH_PREFIX "%s", secret);
	(void)snprintf(f->access_s, sizeof(f->access_s), "%" PRId64, cfg_int("OAUTH_ACCESS_S"));
	(void)snprintf(f->refresh_s, sizeof(f->refresh_s), "%" PRId64, cfg_int("OAUTH_REFRESH_S"));
	sodium_memzero(secret, sizeof(secret));
	return true;
}

/* The hash of a refresh token as it is stored; false when the text cannot be one. */
static bool
refresh_hash(const char *text, char hex[2 * TOKEN_HASH_LEN + 1])
{
	return strncmp(text, REFRESH_PREFIX, sizeof(REFRESH_PREFIX) - 1) == 0 && secret_hash(text + sizeof(REFRESH_PREFIX) - 1, hex);
}

static enum err
give(struct req *r, struct fresh *f, const char *scopes)
{
	struct buf b;
	enum err e;

	buf_init(&b, r->c.a, 512, 8192);
	buf_puts(&b, "{\"access_token\":");
	buf_json_cstr(&b, f->access);
	buf_printf(&b, ",\"token_type\":\"Bearer\",\"expires_in\":%s,\"refresh_token\":", f->access_s);
	buf_json_cstr(&b, f->refresh);
	buf_puts(&b, ",\"scope\":");
	buf_json_cstr(&b, scopes);
	buf_putc(&b, '}');
	res_header(r, "Pragma", "no-cache");
	e = res_send(r, 200, "application/json", b.p, b.n);
	sodium_memzero(f, sizeof(*f));
	return e;
}

/* What the database made of it.  Everything that is wrong with a code or refresh token gets one answer; which it was is for the log. */
static enum err
settle(struct req *r, struct fresh *f, const PGresult *res, const char *what)
{
	const char *status = PQgetvalue(res, 0, 0);

	if (strcmp(status, "ok") == 0)
		return give(r, f, PQgetvalue(res, 0, 1));
	log_event(LOG_INFO_, &r->c, "grant refused", LOG_S("what", what), LOG_S("reason", status));
	/* a second use has ended the grant, in this host's memory too */
	if (strcmp(status, "reused") == 0 || strcmp(status, "mismatch") == 0)
		shm_bump(SHM_TOKENS);
	if (strcmp(status, "target") == 0)
		return oauth_refuse(r, 400, "invalid_target", "resource is not the one that was granted");
	if (strcmp(status, "scope") == 0)
		return oauth_refuse(r, 400, "invalid_scope", "scope is more than was granted");
	return oauth_refuse(r, 400, "invalid_grant", arena_printf(r->c.a, "the %s is not valid (any more)", what));
}

/* The resource as audiences have it; "" when none is named.  NULL: not one of ours. */
static const char *
named_resource(struct req *r, const char *issuer, const struct pair *fields, size_t n)
{
	const char *named = form_value(fields, n, "resource");

	return named == NULL || *named == '\0' ? "" : resource_named(r, issuer, named);
}

/* BASE64URL(SHA256(verifier)), RFC 7636. */
static bool
challenge_of(const char *verifier, char out[sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	size_t n = strlen(verifier);

	if (n < 43 || n > 128)
		return false;
	(void)crypto_hash_sha256(hash, (const unsigned char *)verifier, n);
	sodium_bin2base64(out, sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING), hash, sizeof(hash),
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return true;
}

static enum err
redeem(struct req *r, const char *issuer, const struct oauth_client *k, const struct pair *fields, size_t n)
{
	const char *code = form_value(fields, n, "code"), *verifier = form_value(fields, n, "code_verifier");
	const char *redirect = form_value(fields, n, "redirect_uri"), *resource = named_resource(r, issuer, fields, n);
	char hex[2 * TOKEN_HASH_LEN + 1], challenge[64];
	struct fresh f;
	const char *v[10] = { hex, k->id, redirect, challenge, resource, f.id, f.access_hex, f.access_s, f.refresh_hex, f.refresh_s };
	PGresult *res;

	if (code == NULL || verifier == NULL || redirect == NULL)
		return oauth_refuse(r, 400, "invalid_request", "code, code_verifier and redirect_uri are required");
	if (resource == NULL)
		return oauth_refuse(r, 400, "invalid_target", "resource is none of this service");
	if (!secret_hash(code, hex))
		return oauth_refuse(r, 400, "invalid_grant", "the code is not valid (any more)");
	/* a verifier that cannot be one fits no challenge; the code is used up by it like by any other wrong one */
	if (!challenge_of(verifier, challenge))
		challenge[0] = '\0';
	if (!fresh_make(&f))
		return fail(&r->c, E_UNAVAILABLE, NULL);
	if (db_write(&r->c, &sql_oauth_redeem, 10, v, &res))
		return r->c.err;
	return settle(r, &f, res, "code");
}

static enum err
renew(struct req *r, const char *issuer, const struct oauth_client *k, const struct pair *fields, size_t n)
{
	const char *old = form_value(fields, n, "refresh_token"), *scope = form_value(fields, n, "scope");
	const char *resource = named_resource(r, issuer, fields, n);
	char hex[2 * TOKEN_HASH_LEN + 1];
	struct fresh f;
	const char *v[9] = { hex, k->id, resource, scope != NULL ? scope : "", f.id, f.access_hex, f.access_s, f.refresh_hex, f.refresh_s };
	PGresult *res;

	if (old == NULL)
		return oauth_refuse(r, 400, "invalid_request", "refresh_token is required");
	if (resource == NULL)
		return oauth_refuse(r, 400, "invalid_target", "resource is none of this service");
	if (scope != NULL && (strlen(scope) > 1000 || scope[strspn(scope, " ")] != *scope))
		return oauth_refuse(r, 400, "invalid_scope", "scope is malformed");
	if (!refresh_hash(old, hex))
		return oauth_refuse(r, 400, "invalid_grant", "the refresh token is not valid (any more)");
	if (!fresh_make(&f))
		return fail(&r->c, E_UNAVAILABLE, NULL);
	if (db_write(&r->c, &sql_oauth_renew, 9, v, &res))
		return r->c.err;
	return settle(r, &f, res, "refresh token");
}

/* Who asks, and with which form.  Otherwise the refusal has been sent, or is noted. */
static enum err
read_form(struct req *r, const char **issuer, struct pair **fields, size_t *n, struct oauth_client *k)
{
	enum err e;

	if ((e = oauth_open(r, issuer)))
		return e;
	if ((e = form_parse(r, fields, n))) {
		const char *why = ctx_message(&r->c);

		ctx_clear_error(&r->c);
		(void)oauth_refuse(r, e == E_TOO_LARGE ? 413 : 400, "invalid_request", why);
		return e;
	}
	return client_authenticate(r, *fields, *n, k);
}

enum err
oauth_token(struct req *r)
{
	const char *issuer, *type;
	struct oauth_client k;
	struct pair *fields;
	size_t n;
	enum err e;

	res_header(r, "Cache-Control", "no-store");
	if ((e = read_form(r, &issuer, &fields, &n, &k)))
		return res_done(r) ? E_OK : e;
	type = form_value(fields, n, "grant_type");
	if (type == NULL)
		return oauth_refuse(r, 400, "invalid_request", "grant_type is missing");
	if (strcmp(type, "client_credentials") == 0)
		return strcmp(k.kind, "service") == 0 ? service_token(r, issuer, &k, fields, n) :
		    oauth_refuse(r, 400, "unauthorized_client", "this client is no service account");
	if (strcmp(type, "authorization_code") != 0 && strcmp(type, "refresh_token") != 0)
		return oauth_refuse(r, 400, "unsupported_grant_type", "grant_type must be authorization_code, refresh_token or client_credentials");
	if (strcmp(k.kind, "service") == 0)
		return oauth_refuse(r, 400, "unauthorized_client", "a service account has client_credentials alone");
	return type[0] == 'a' ? redeem(r, issuer, &k, fields, n) : renew(r, issuer, &k, fields, n);
}

enum err
oauth_revoke(struct req *r)
{
	const char *issuer, *text, *secret;
	char refresh_hex[2 * TOKEN_HASH_LEN + 1] = "", access_hex[2 * TOKEN_HASH_LEN + 1] = "", id[TOKEN_ID_LEN + 1] = "";
	const char *v[4];
	struct oauth_client k;
	struct pair *fields;
	PGresult *res;
	size_t n;
	enum err e;

	if ((e = read_form(r, &issuer, &fields, &n, &k)))
		return res_done(r) ? E_OK : e;
	if ((text = form_value(fields, n, "token")) == NULL)
		return oauth_refuse(r, 400, "invalid_request", "token is missing");
	(void)refresh_hash(text, refresh_hex);
	if (token_parse(text, id, &secret)) {
		unsigned char hash[TOKEN_HASH_LEN];

		if (token_hash(secret, hash))
			sodium_bin2hex(access_hex, sizeof(access_hex), hash, sizeof(hash));
	}
	v[0] = k.id;
	v[1] = refresh_hex;
	v[2] = id;
	v[3] = access_hex;
	if (db_write(&r->c, &sql_oauth_give_back, 4, v, &res))
		return r->c.err;
	if (PQgetvalue(res, 0, 0)[0] == 't')
		shm_bump(SHM_TOKENS);
	/* also for tokens that were never ours: RFC 7009 */
	return res_send(r, 200, NULL, "", 0);
}
