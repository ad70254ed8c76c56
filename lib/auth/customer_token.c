/* Tokens of the shop's own site; see customer_token.h. */
#include "auth/customer_token.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/jwt_text.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"
#include "web/cors.h"

#define PREFIX "sct_"
#define KEY_MAX 16384
#define LEEWAY_S 60		/* clocks differ */
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* One of CUSTOMER_TOKEN_KEYS. */
struct key {
	const char *alg;	/* HS256 or RS256 */
	const char *text;	/* the secret, or the public key as PEM */
	size_t n;
};

static enum err
refuse(struct ctx *c, const char *reason)
{
	log_event(LOG_INFO_, c, "customer token refused", LOG_S("reason", reason));
	return fail(c, E_UNAUTHENTICATED, NULL);
}

static const char *
read_pem(struct ctx *c, const char *path)
{
	char *text = arena_zalloc(c->a, KEY_MAX, 1);
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		log_event(LOG_ERROR_, c, "a public key of CUSTOMER_TOKEN_KEYS cannot be read", LOG_S("file", path));
		return NULL;
	}
	if (fread(text, 1, KEY_MAX - 1, f) == 0)
		text = NULL;
	(void)fclose(f);
	return text;
}

/* Find kid:ALG:key in the list.  The form was checked when the configuration was read. */
static bool
find_key(struct ctx *c, const char *kid, struct key *out)
{
	const char *p = cfg_str("CUSTOMER_TOKEN_KEYS");
	size_t len = strlen(kid);

	for (;;) {
		size_t n;

		p += strspn(p, ", \t");
		n = strcspn(p, ", \t");
		if (n == 0)
			return false;
		if (n > len + 7 && strncmp(p, kid, len) == 0 && p[len] == ':') {
			out->alg = p[len + 1] == 'H' ? "HS256" : "RS256";
			out->text = arena_strndup(c->a, p + len + 7, n - len - 7);
			if (out->alg[0] == 'R')
				out->text = read_pem(c, out->text);
			out->n = out->text != NULL ? strlen(out->text) : 0;
			return out->n > 0;
		}
		p += n;
	}
}

static bool
is_kid(const char *kid)
{
	return kid[0] != '\0' && kid[strspn(kid, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-")] == '\0';
}

bool
customer_token_is(struct ctx *c, const char *text)
{
	const char *alg, *kid, *p;
	size_t n;

	if (strncmp(text, PREFIX, sizeof(PREFIX) - 1) == 0)
		return true;
	if (cfg_str("CUSTOMER_TOKEN_KEYS")[0] == '\0' || !jwt_text_head(c, text, &alg, &kid) || !is_kid(kid))
		return false;
	n = strlen(kid);
	for (p = cfg_str("CUSTOMER_TOKEN_KEYS"); *p != '\0'; p += strcspn(p, ", \t")) {
		p += strspn(p, ", \t");
		if (strncmp(p, kid, n) == 0 && p[n] == ':')
			return true;
	}
	return false;
}

/* The claims of sct_<kid>.<claims>.<mac>, whose signature is right. */
static bool
open_own(struct ctx *c, const char *text, json_object **claims)
{
	const char *dot = strchr(text, '.'), *last = strrchr(text, '.');
	unsigned char mac[crypto_auth_hmacsha256_BYTES], given[crypto_auth_hmacsha256_BYTES], *json;
	crypto_auth_hmacsha256_state st;
	struct key key;
	const char *kid;
	size_t n;

	if (strnlen(text, JWT_TEXT_MAX + 1) > JWT_TEXT_MAX || dot == NULL || last == dot || strchr(dot + 1, '.') != last)
		return false;
	kid = arena_strndup(c->a, text + sizeof(PREFIX) - 1, (size_t)(dot - text) - (sizeof(PREFIX) - 1));
	if (!is_kid(kid) || !find_key(c, kid, &key) || key.alg[0] != 'H')
		return false;
	if (sodium_base642bin(given, sizeof(given), last + 1, strlen(last + 1), NULL, &n, NULL, VARIANT) != 0 || n != sizeof(given))
		return false;
	(void)crypto_auth_hmacsha256_init(&st, (const unsigned char *)key.text, key.n);
	(void)crypto_auth_hmacsha256_update(&st, (const unsigned char *)text, (size_t)(last - text));
	(void)crypto_auth_hmacsha256_final(&st, mac);
	if (sodium_memcmp(mac, given, sizeof(mac)) != 0)
		return false;
	json = arena_alloc(c->a, strlen(text));
	if (sodium_base642bin(json, strlen(text), dot + 1, (size_t)(last - dot - 1), NULL, &n, NULL, VARIANT) != 0)
		return false;
	return json_parse(c, (const char *)json, n, claims) == E_OK && json_object_is_type(*claims, json_type_object);
}

static bool
open_jwt(struct ctx *c, const char *text, json_object **claims)
{
	const char *alg, *kid;
	struct key key;

	return jwt_text_head(c, text, &alg, &kid) && is_kid(kid) && find_key(c, kid, &key) &&
	    jwt_text_verify(c, text, key.alg, key.text, key.n, claims);
}

/* "aud": the text, or a list that has it. */
static bool
audience_fits(json_object *claims, const char *wanted)
{
	json_object *aud;

	if (wanted == NULL || wanted[0] == '\0' || !json_object_object_get_ex(claims, "aud", &aud))
		return false;
	if (json_object_is_type(aud, json_type_string))
		return strcmp(json_object_get_string(aud), wanted) == 0;
	for (size_t i = 0; json_object_is_type(aud, json_type_array) && i < json_object_array_length(aud); i++) {
		json_object *one = json_object_array_get_idx(aud, i);

		if (json_object_is_type(one, json_type_string) && strcmp(json_object_get_string(one), wanted) == 0)
			return true;
	}
	return false;
}

/* What the audience has to be, NULL: nothing is.  A Host header is the caller's own words, who could name what the token happens to be for. */
static const char *
own_address(struct ctx *c, const struct bearer *b)
{
	const char *audience = cfg_str("CUSTOMER_TOKEN_AUDIENCE"), *host;

	if (audience[0] != '\0')
		return audience;
	if (cfg_str("PUBLIC_URL")[0] != '\0' || b->base_url == NULL || (host = strstr(b->base_url, "://")) == NULL)
		return b->base_url;
	host += 3;
	if (host_is_loopback(arena_strndup(c->a, host, strcspn(host, "/"))))
		return b->base_url;
	log_event(LOG_WARN_, c, "customer tokens need CUSTOMER_TOKEN_AUDIENCE or PUBLIC_URL");
	return NULL;
}

/* NULL when times and audience are right, else what is not. */
static const char *
fault_of(struct ctx *c, json_object *claims, const struct bearer *b)
{
	int64_t now_s = wall_ms() / 1000, exp, since;

	if (json_get_int(claims, "exp", 0, INT64_MAX, &exp) != JSON_OK || exp <= now_s)
		return "expired";
	if (exp > now_s + cfg_int("CUSTOMER_TOKEN_MAX_S") + LEEWAY_S)
		return "too long";
	for (int i = 0; i < 2; i++) {
		enum json_got got = json_get_int(claims, i ? "nbf" : "iat", 0, INT64_MAX, &since);

		if (got != JSON_ABSENT && (got != JSON_OK || since > now_s + LEEWAY_S))
			return "not yet";
	}
	return audience_fits(claims, own_address(c, b)) ? NULL : "audience";
}

static enum err
find_customer(struct ctx *c, json_object *claims, struct subject *out)
{
	const char *sub = NULL, *ref = NULL, *v[2], *id;
	size_t n;

	if (json_get_string(claims, "sub", 1, 18, &sub, &n) == JSON_OK && strspn(sub, "0123456789") != n)
		return refuse(c, "sub");
	if (sub == NULL && json_get_string(claims, "ref", 1, 200, &ref, &n) != JSON_OK)
		return refuse(c, "neither sub nor ref");
	v[0] = sub;
	v[1] = ref;
	/* a stream may ask again in the middle of its call, as the customer, who sees the own row */
	if (db_call(c, DB_READ, NULL, &sql_customer_token_find, 2, v, &id, &n))
		return c->err;
	if (id == NULL)
		return refuse(c, "no such customer");
	subject_customer(c, id, out);
	return E_OK;
}

enum err
customer_token_resolve(struct ctx *c, const struct bearer *b, struct subject *out)
{
	json_object *claims = NULL;
	const char *fault;
	bool ok = strncmp(b->text, PREFIX, sizeof(PREFIX) - 1) == 0 ? open_own(c, b->text, &claims) : open_jwt(c, b->text, &claims);

	ctx_clear_error(c);
	if (!ok)
		return refuse(c, "signature");
	if ((fault = fault_of(c, claims, b)) != NULL)
		return refuse(c, fault);
	return find_customer(c, claims, out);
}
