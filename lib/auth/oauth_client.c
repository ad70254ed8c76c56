/* Clients: how they are found, how they prove themselves, where their codes may go. */
#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/oauth_internal.h"
#include "core/banned.h"
#include "core/json.h"
#include "core/log.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db.h"
#include "web/request.h"

#define DOCUMENT_FRESH_S 3600
#define DOCUMENT_STALE_S 86400

/* ---- addresses ---------------------------------------------------------------------- */

/* The parts of "scheme://host:port/rest".  For private-use schemes only scheme is set. */
struct uri {
	size_t scheme;
	const char *host;
	size_t hostsz;
	const char *rest;	/* path and query, behind the port */
	bool user;		/* there is a user part */
};

static bool
uri_split(const char *s, struct uri *u)
{
	const char *at, *slash;

	*u = (struct uri){ .scheme = strcspn(s, ":") };
	if (u->scheme == 0 || s[u->scheme] != ':' || !isalpha((unsigned char)*s))
		return false;
	for (size_t i = 0; i < u->scheme; i++)
		if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && strchr("+.-", s[i]) == NULL)
			return false;
	if (strncmp(s + u->scheme, "://", 3) != 0)
		return true;
	u->host = s + u->scheme + 3;
	slash = u->host + strcspn(u->host, "/?");
	at = memchr(u->host, '@', (size_t)(slash - u->host));
	u->user = at != NULL;
	u->hostsz = *u->host == '[' ? strcspn(u->host, "]/?") + 1 : strcspn(u->host, ":/?");
	if (u->host + u->hostsz > slash)
		return false;
	u->rest = u->host + u->hostsz;
	if (*u->rest == ':')
		u->rest += 1 + strspn(u->rest + 1, "0123456789");
	return u->rest == slash;
}

static bool
has_scheme(const char *s, const struct uri *u, const char *scheme)
{
	return strlen(scheme) == u->scheme && strncmp(s, scheme, u->scheme) == 0;
}

static bool
is_loopback(const struct uri *u)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == u->hostsz && strncasecmp(names[i], u->host, u->hostsz) == 0)
			return true;
	return false;
}

const char *
uri_host(struct ctx *c, const char *uri)
{
	struct uri u;

	return uri_split(uri, &u) && u.host != NULL ? arena_strndup(c->a, u.host, u.hostsz) : "";
}

/* A name or an address; nothing that would mean more in a header or to a browser. */
static bool
host_ok(const struct uri *u)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
	bool v6 = u->hostsz > 2 && *u->host == '[';

	return u->hostsz > 0 && strspn(v6 ? u->host + 1 : u->host, v6 ? "0123456789abcdefABCDEF:." : letters) == (v6 ? u->hostsz - 2 : u->hostsz);
}

const char *
redirect_fault(const char *uri)
{
	/* what a browser would run or open itself */
	static const char *const refused[] = { "javascript", "data", "vbscript", "file", "blob", "about", "ftp", "ws", "wss", "filesystem", "view-source",
		"mailto", "tel", "sms", "intent", "chrome", "jar", "livescript", "mocha" };
	size_t n = strnlen(uri, URI_MAX + 1);
	struct uri u;

	if (n == 0 || n > URI_MAX)
		return "1 to 500 characters";
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)uri[i] <= ' ' || (unsigned char)uri[i] >= 0x7f || strchr("\"<>\\^`{|}", uri[i]) != NULL)
			return "holds a character that a URI cannot have";
	if (strchr(uri, '#') != NULL)
		return "holds a fragment";
	if (!uri_split(uri, &u))
		return "is no URI";
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (has_scheme(uri, &u, refused[i]))
			return "has a scheme that is not allowed";
	if (u.user)
		return "holds a user name";
	if (has_scheme(uri, &u, "https"))
		return host_ok(&u) ? NULL : "has no host that can be one";
	if (has_scheme(uri, &u, "http"))
		return u.hostsz > 0 && is_loopback(&u) ? NULL : "http is for loopback addresses alone";
	return uri[u.scheme + 1] != '\0' ? NULL : "is no URI";
}

static bool
same_but_port(const char *registered, const char *given)
{
	struct uri a, b;

	return uri_split(registered, &a) && uri_split(given, &b) && has_scheme(registered, &a, "http") && has_scheme(given, &b, "http") &&
	    a.host != NULL && b.host != NULL && !b.user && a.hostsz == b.hostsz && strncmp(a.host, b.host, a.hostsz) == 0 && is_loopback(&a) &&
	    strcmp(a.rest, b.rest) == 0;
}

bool
redirect_matches(const struct oauth_client *k, const char *uri)
{
	if (redirect_fault(uri) != NULL)
		return false;
	for (size_t i = 0; k->redirect_uris[i] != NULL; i++)
		if (strcmp(k->redirect_uris[i], uri) == 0 || same_but_port(k->redirect_uris[i], uri))
			return true;
	return false;
}

/* ---- the client ----------------------------------------------------------------------- */

bool
client_id_is_url(const char *id)
{
	return strncmp(id, "https://", 8) == 0;
}

enum err
client_find(struct ctx *c, const char *id, struct oauth_client *out)
{
	const char *v[1] = { id };
	json_object *list;
	PGresult *r;
	enum err e;

	if (strnlen(id, URI_MAX + 1) > URI_MAX)
		return fail(c, E_NOT_FOUND, "client_id: unknown");
	if ((e = db_exec(c, &sql_oauth_client, 1, v, &r)) != E_OK)
		return e;
	if (PQntuples(r) == 0)
		return fail(c, E_NOT_FOUND, "client_id: unknown");
	*out = (struct oauth_client){ .id = arena_strdup(c->a, id), .kind = PQgetvalue(r, 0, 0), .method = PQgetvalue(r, 0, 1),
		.name = PQgetvalue(r, 0, 2), .uri = PQgetvalue(r, 0, 3), .secret_hash = PQgetvalue(r, 0, 5), .previous_hash = PQgetvalue(r, 0, 6),
		.scopes = PQgetvalue(r, 0, 7), .age_s = strtoll(PQgetvalue(r, 0, 8), NULL, 10) };
	if ((e = json_parse(c, PQgetvalue(r, 0, 4), (size_t)PQgetlength(r, 0, 4), &list)) != E_OK)
		return e;
	for (size_t i = 0; i < json_object_array_length(list) && i < 2 * URIS_MAX; i++)
		out->redirect_uris[i] = json_object_get_string(json_object_array_get_idx(list, i));
	return E_OK;
}

enum err
client_load(struct ctx *c, const char *id, struct oauth_client *out)
{
	enum err e = client_find(c, id, out);
	bool known = e == E_OK;

	if (!client_id_is_url(id) || (known && out->age_s < DOCUMENT_FRESH_S) || (!known && e != E_NOT_FOUND))
		return e;
	ctx_clear_error(c);
	e = document_read(c, id);
	/* the client's site is down: for a day what it said last still counts */
	if (e == E_UNAVAILABLE && known && out->age_s < DOCUMENT_STALE_S) {
		ctx_clear_error(c);
		return E_OK;
	}
	return e != E_OK ? e : client_find(c, id, out);
}

/* ---- secrets ------------------------------------------------------------------------------ */

static bool
hash_hex(const char *secret, char hex[2 * TOKEN_HASH_LEN + 1])
{
	unsigned char hash[TOKEN_HASH_LEN];

	if (!token_hash(secret, hash))
		return false;
	sodium_bin2hex(hex, 2 * TOKEN_HASH_LEN + 1, hash, sizeof(hash));
	return true;
}

bool
secret_new(char secret[TOKEN_SECRET_LEN + 1], char hex[2 * TOKEN_HASH_LEN + 1])
{
	random_base62(secret, TOKEN_SECRET_LEN);
	return hash_hex(secret, hex);
}

bool
secret_hash(const char *secret, char hex[2 * TOKEN_HASH_LEN + 1])
{
	return strnlen(secret, TOKEN_SECRET_LEN + 1) == TOKEN_SECRET_LEN && hash_hex(secret, hex);
}

static bool
secret_fits(const struct oauth_client *k, const char *secret)
{
	char hex[2 * TOKEN_HASH_LEN + 1];
	bool now, before;

	if (!secret_hash(secret, hex))
		return false;
	now = strlen(k->secret_hash) == 2 * TOKEN_HASH_LEN && sodium_memcmp(hex, k->secret_hash, 2 * TOKEN_HASH_LEN) == 0;
	before = strlen(k->previous_hash) == 2 * TOKEN_HASH_LEN && sodium_memcmp(hex, k->previous_hash, 2 * TOKEN_HASH_LEN) == 0;
	return now || before;
}

/* "Basic base64(id:secret)", both form-encoded (RFC 6749, 2.3.1). */
static bool
read_basic(struct req *r, const char *auth, const char **id, const char **secret)
{
	size_t n, len = strlen(auth);
	char *bin = arena_alloc(r->c.a, len + 1), *colon;

	if (sodium_base642bin((unsigned char *)bin, len, auth, len, " ", &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return false;
	bin[n] = '\0';
	if (strlen(bin) != n || (colon = strchr(bin, ':')) == NULL)
		return false;
	if (url_decode(&r->c, bin, (size_t)(colon - bin), true, id, NULL) || url_decode(&r->c, colon + 1, strlen(colon + 1), true, secret, NULL)) {
		ctx_clear_error(&r->c);
		return false;
	}
	return true;
}

static enum err
refuse_client(struct req *r, bool basic, const char *reason)
{
	log_event(LOG_INFO_, &r->c, "client refused", LOG_S("reason", reason));
	if (basic)
		res_header(r, "WWW-Authenticate", "Basic realm=\"souk\"");
	(void)oauth_refuse(r, 401, "invalid_client", "the client is unknown or has not proven itself");
	return E_UNAUTHENTICATED;
}

enum err
client_authenticate(struct req *r, const struct pair *fields, size_t n, struct oauth_client *out)
{
	const char *auth = req_header(r, "Authorization"), *id = form_value(fields, n, "client_id"), *secret = form_value(fields, n, "client_secret");
	const char *named = id;
	bool basic = auth != NULL && strncasecmp(auth, "Basic ", 6) == 0;
	enum err e;

	if (basic && (!read_basic(r, auth + 6, &id, &secret) || (named != NULL && strcmp(named, id) != 0)))
		return refuse_client(r, basic, "malformed");
	if (basic && form_value(fields, n, "client_secret") != NULL)
		return refuse_client(r, basic, "two ways at once");
	if (id == NULL)
		return refuse_client(r, basic, "none named");
	e = client_find(&r->c, id, out);
	if (e == E_NOT_FOUND) {
		ctx_clear_error(&r->c);
		return refuse_client(r, basic, "unknown");
	}
	if (e != E_OK)
		return e;
	if (strcmp(out->method, "none") == 0)
		return secret == NULL || *secret == '\0' ? E_OK : refuse_client(r, basic, "a secret where there is none");
	return secret != NULL && secret_fits(out, secret) ? E_OK : refuse_client(r, basic, "secret");
}
