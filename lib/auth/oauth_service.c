/*
 * Service accounts: machines that prove themselves with a secret and get a short JWT (ES256, with the claims of RFC 9068).  The signature says what was given; whether the account may
 * still do it is asked of the database, through the same memory as tokens, so that a revocation holds at the next request.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt_text.h"
#include "auth/oauth_internal.h"
#include "auth/seal.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/shm.h"

#define KNOWN_SLOTS 16
#define KNOWN_TEXT 1024
#define KNOWN_MS 60000
#define SERVICE_PREFIX "svc_"

/* Tokens whose signature was found good.  The texts lie behind each other in text. */
struct known {
	unsigned char hash[crypto_generichash_BYTES];
	int64_t expires_s;	/* wall clock; 0: free */
	int64_t since_ms;
	uint64_t shm_generation;
	unsigned db_generation;
	uint16_t sub, aud, scope;
	char text[KNOWN_TEXT];
};
static struct known known[KNOWN_SLOTS];

/* ---- giving -------------------------------------------------------------------------------- */

/* Of the scopes asked for ("" or NULL: all), those that the account holds; NULL when one is beyond it. */
static const char *
scopes_given(struct ctx *c, const struct oauth_client *k, const char *wanted)
{
	struct subject holder = { .kind = "service" };
	const char *list = k->scopes;
	size_t n = 0;

	if (wanted == NULL || *wanted == '\0')
		return k->scopes;
	while (*list != '\0' && n < SCOPES_MAX) {
		size_t m = strcspn(list, " ");

		holder.scopes[n++] = arena_strndup(c->a, list, m);
		list += m + (list[m] == ' ');
	}
	for (const char *w = wanted; *w != '\0';) {
		size_t m = strcspn(w, " ");

		if (m == 0 || !scope_held(&holder, arena_strndup(c->a, w, m)))
			return NULL;
		w += m + (w[m] == ' ');
	}
	return wanted;
}

static void
put_claim(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, ",\"%s\":", name);
	buf_json_cstr(b, text);
}

static enum err
sign(struct ctx *c, const char *claims, const char **out)
{
	const char *sealed, *kid, *pem;
	PGresult *r;
	size_t n;

	*out = NULL;
	if (db_exec(c, &sql_oauth_key_sign, 0, NULL, &r))
		return c->err;
	if (PQntuples(r) == 0) {
		log_event(LOG_ERROR_, c, "no key signs: souk oauth rotate-key makes one");
		return fail(c, E_UNAVAILABLE, NULL);
	}
	kid = PQgetvalue(r, 0, 0);
	sealed = PQgetvalue(r, 0, 1);
	pem = seal_open(c, arena_printf(c->a, "oauth_keys.private_sealed:%s", kid), sealed, &n);
	if (pem == NULL || (*out = jwt_text_sign(c, kid, pem, claims)) == NULL) {
		log_event(LOG_ERROR_, c, "the signing key cannot be used: was TOKEN_PEPPER changed?", LOG_S("key", kid));
		return fail(c, E_UNAVAILABLE, NULL);
	}
	return E_OK;
}

enum err
service_token(struct req *r, const char *issuer, const struct oauth_client *k, const struct pair *fields, size_t n)
{
	const char *named = form_value(fields, n, "resource"), *scopes = scopes_given(&r->c, k, form_value(fields, n, "scope"));
	const char *resource = named == NULL || *named == '\0' ? issuer : resource_named(r, issuer, named), *text;
	const char *v[1] = { k->id };
	int64_t now = wall_ms() / 1000, life = cfg_int("OAUTH_SERVICE_S"), end = now + life;
	struct subject who;
	struct buf b;
	char jti[37];
	PGresult *res;
	enum err e;

	if (scopes == NULL)
		return oauth_refuse(r, 400, "invalid_scope", "scope is more than the account holds");
	if (resource == NULL)
		return oauth_refuse(r, 400, "invalid_target", "resource is none of this service");
	/* the account's list of addresses */
	if ((e = token_subject(&r->c, &sql_oauth_service_find, k->id, NULL, r->remote_ip, false, &who)) == E_UNAUTHENTICATED) {
		ctx_clear_error(&r->c);
		return oauth_refuse(r, 400, "unauthorized_client", "not from this address");
	}
	if (e != E_OK)
		return e;
	random_uuid(jti);
	buf_init(&b, r->c.a, 512, JWT_TEXT_MAX);
	buf_printf(&b, "{\"iat\":%lld,\"exp\":%lld", (long long)now, (long long)end);
	put_claim(&b, "iss", issuer);
	put_claim(&b, "sub", k->id);
	put_claim(&b, "client_id", k->id);
	put_claim(&b, "aud", resource);
	put_claim(&b, "scope", scopes);
	put_claim(&b, "jti", jti);
	buf_putc(&b, '}');
	if (sign(&r->c, b.p, &text) || db_write(&r->c, &sql_oauth_note_use, 1, v, &res))
		return r->c.err;
	buf_init(&b, r->c.a, 2048, 2 * JWT_TEXT_MAX);
	buf_puts(&b, "{\"access_token\":");
	buf_json_cstr(&b, text);
	buf_printf(&b, ",\"token_type\":\"Bearer\",\"expires_in\":%lld,\"scope\":", (long long)life);
	buf_json_cstr(&b, scopes);
	buf_putc(&b, '}');
	return res_send(r, 200, "application/json", b.p, b.n);
}

/* ---- checking ---------------------------------------------------------------------------------- */

static enum err
refuse(struct ctx *c, const char *reason)
{
	ctx_clear_error(c);
	log_event(LOG_INFO_, c, "token refused", LOG_S("reason", reason));
	return fail(c, E_UNAUTHENTICATED, NULL);
}

static bool
keep(struct known *k, const char *text, uint16_t *at, size_t *used)
{
	size_t n = strlen(text) + 1;

	if (n > sizeof(k->text) - *used)
		return false;
	*at = (uint16_t)*used;
	memcpy(k->text + *used, text, n);
	*used += n;
	return true;
}

/* The claims that count, into k; false when one is missing or the token's time is over. */
static bool
read_claims(json_object *claims, struct known *k)
{
	const char *sub, *aud, *scope, *client;
	size_t n, used = 0;
	int64_t iat, exp, now = wall_ms() / 1000;

	if (json_get_string(claims, "sub", 1, 64, &sub, &n) != JSON_OK || json_get_string(claims, "client_id", 1, 64, &client, &n) != JSON_OK ||
	    strcmp(sub, client) != 0 || strncmp(sub, SERVICE_PREFIX, sizeof(SERVICE_PREFIX) - 1) != 0 ||
	    json_get_string(claims, "aud", 1, URI_MAX, &aud, &n) != JSON_OK || json_get_string(claims, "scope", 0, 700, &scope, &n) != JSON_OK ||
	    json_get_int(claims, "exp", 1, INT64_MAX, &exp) != JSON_OK || json_get_int(claims, "iat", 1, INT64_MAX, &iat) != JSON_OK)
		return false;
	if (exp <= now || iat > now + 60)
		return false;
	k->expires_s = exp;
	return keep(k, sub, &k->sub, &used) && keep(k, aud, &k->aud, &used) && keep(k, scope, &k->scope, &used);
}

/* Verify the text with the key that it names.  The generations are read before, so that a key revoked in between makes the entry old at once. */
static enum err
verify(struct ctx *c, const char *text, struct known *k)
{
	const char *alg, *kid;
	const char *v[1];
	json_object *claims;
	PGresult *r;

	k->shm_generation = shm_generation(SHM_TOKENS);
	k->db_generation = db_generation_tokens();
	k->since_ms = now_ms();
	if (!jwt_text_head(c, text, &alg, &kid) || strcmp(alg, "ES256") != 0 || *kid == '\0')
		return refuse(c, "malformed");
	v[0] = kid;
	if (db_exec(c, &sql_oauth_key_check, 1, v, &r))
		return c->err;
	if (PQntuples(r) == 0)
		return refuse(c, "key");
	if (!jwt_text_verify(c, text, "ES256", PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0), &claims))
		return refuse(c, "signature");
	return read_claims(claims, k) ? E_OK : refuse(c, "claims");
}

/* Only the scopes of the token that the account still holds. */
static void
narrow(struct ctx *c, struct subject *who, const char *scope)
{
	struct subject holder = *who;
	size_t n = 0;

	while (*scope != '\0' && n < SCOPES_MAX) {
		size_t m = strcspn(scope, " ");
		const char *one = arena_strndup(c->a, scope, m);

		if (scope_held(&holder, one))
			who->scopes[n++] = one;
		scope += m + (scope[m] == ' ');
	}
	who->scopes[n] = NULL;
}

enum err
oauth_token_verify(struct ctx *c, const char *text, const char *remote_ip, struct subject *out)
{
	unsigned char hash[crypto_generichash_BYTES];
	struct known *k;
	size_t len = strnlen(text, JWT_TEXT_MAX + 1);
	enum err e;

	if (len > JWT_TEXT_MAX)
		return refuse(c, "malformed");
	(void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, len, NULL, 0);
	db_poll_notifications();
	k = &known[hash[0] % KNOWN_SLOTS];
	if (k->expires_s == 0 || memcmp(k->hash, hash, sizeof(hash)) != 0 || !cfg_bool("DB_PREPARED") ||
	    k->shm_generation != shm_generation(SHM_TOKENS) || k->db_generation != db_generation_tokens() || now_ms() - k->since_ms > KNOWN_MS) {
		k->expires_s = 0;
		if ((e = verify(c, text, k)) != E_OK) {
			k->expires_s = 0;
			return e;
		}
		memcpy(k->hash, hash, sizeof(hash));
	}
	if (k->expires_s <= wall_ms() / 1000)
		return refuse(c, "expired");
	if ((e = token_subject(c, &sql_oauth_service_find, k->text + k->sub, NULL, remote_ip, false, out)) != E_OK)
		return e;
	out->audience = arena_strdup(c->a, k->text + k->aud);
	narrow(c, out, arena_strdup(c->a, k->text + k->scope));
	return E_OK;
}
