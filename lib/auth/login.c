/* Browsers that are logged in; see login.h. */
#include "auth/login.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/signed.h"
#include "auth/subject.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db.h"

#define VALUE_LEN 43		/* characters of base 62: 256 bits */
#define FORM_KEEP_S 3600
#define NEXT_MAX 6144

static bool
is_local(struct req *r)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = req_header(r, "Host");

	for (size_t i = 0; host != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(host, names[i], n) == 0 && (host[n] == '\0' || host[n] == ':'))
			return true;
	}
	return false;
}

bool
login_transport_ok(struct req *r)
{
	return r->https || is_local(r);
}

/* The cookies: of the session, and of forms for those who have none. */
static const char *
cookie_name(struct req *r, bool form)
{
	if (r->https)
		return form ? "__Host-souk-form" : "__Host-souk";
	return form ? "souk-form" : "souk";
}

/* A cookie of ours in the arena, NULL when there is none of the right form.  The first of a name counts. */
static const char *
cookie_get(struct req *r, bool form)
{
	const char *p = req_header(r, "Cookie"), *name = cookie_name(r, form);
	size_t len = strlen(name);

	while (p != NULL && *p != '\0') {
		size_t n = strcspn(p, ";");

		if (n > len && strncmp(p, name, len) == 0 && p[len] == '=') {
			const char *value = arena_strndup(r->c.a, p + len + 1, n - len - 1);

			return strlen(value) == VALUE_LEN && strspn(value, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == VALUE_LEN ?
				value : NULL;
		}
		p += n;
		p += strspn(p, "; ");
	}
	return NULL;
}

/* value NULL: take it away. */
static void
cookie_set(struct req *r, bool form, const char *value)
{
	const char *text = arena_printf(r->c.a, "%s=%s; Path=/; HttpOnly; SameSite=Lax", cookie_name(r, form), value != NULL ? value : "");

	if (value == NULL)
		text = arena_printf(r->c.a, "%s; Max-Age=0", text);
	res_header(r, "Set-Cookie", r->https ? arena_printf(r->c.a, "%s; Secure", text) : text);
}

/* Keyed hash of a cookie's value for a purpose, in hexadecimal. */
static bool
hash_of(const char *value, const char *purpose, size_t len, char *hex)
{
	unsigned char key[32], hash[32];
	crypto_generichash_state st;

	if (!signed_key("souk sessions v1", key))
		return false;
	(void)crypto_generichash_init(&st, key, sizeof(key), len);
	(void)crypto_generichash_update(&st, (const unsigned char *)value, strlen(value) + 1);
	(void)crypto_generichash_update(&st, (const unsigned char *)purpose, strlen(purpose));
	(void)crypto_generichash_final(&st, hash, len);
	sodium_bin2hex(hex, 2 * len + 1, hash, len);
	return true;
}

enum err
login_current(struct req *r, struct subject *out)
{
	const char *value = login_transport_ok(r) ? cookie_get(r, false) : NULL, *v[2];
	char hex[65], idle[24];
	PGresult *found;

	if (value == NULL || !hash_of(value, "session", 32, hex))
		return E_UNAUTHENTICATED;
	(void)snprintf(idle, sizeof(idle), "%lld", (long long)cfg_int("SESSION_IDLE_S"));
	v[0] = hex;
	v[1] = idle;
	if (db_rows(&r->c, DB_WRITE, NULL, &sql_session_find, 2, v, &found))
		return r->c.err;
	if (PQntuples(found) == 0)
		return E_UNAUTHENTICATED;
	if (PQgetisnull(found, 0, 0))
		subject_customer(&r->c, PQgetvalue(found, 0, 1), out);
	else
		subject_staff(&r->c, PQgetvalue(found, 0, 0), PQgetvalue(found, 0, 3), out);
	out->name = PQgetvalue(found, 0, 2);
	return E_OK;
}

static enum err
end_session(struct req *r)
{
	const char *value = cookie_get(r, false), *v[1];
	char hex[65];
	PGresult *gone;

	if (value == NULL || !hash_of(value, "session", 32, hex))
		return E_OK;
	v[0] = hex;
	return db_rows(&r->c, DB_WRITE, NULL, &sql_session_end, 1, v, &gone);
}

enum err
login_begin(struct req *r, const char *staff_id, const char *customer_id)
{
	char value[VALUE_LEN + 1], hex[65], keep[24];
	const char *v[4] = { hex, staff_id, customer_id, keep };
	PGresult *made;

	if (!login_transport_ok(r))
		return fail(&r->c, E_FORBIDDEN, "log-in needs https");
	if (end_session(r))
		return r->c.err;
	random_base62(value, VALUE_LEN);
	if (!hash_of(value, "session", 32, hex))
		return fail(&r->c, E_UNAVAILABLE, NULL);
	(void)snprintf(keep, sizeof(keep), "%lld", (long long)cfg_int("SESSION_S"));
	if (db_rows(&r->c, DB_WRITE, NULL, &sql_session_create, 4, v, &made))
		return r->c.err;
	cookie_set(r, false, value);
	cookie_set(r, true, NULL);
	return E_OK;
}

enum err
login_end(struct req *r)
{
	enum err e = end_session(r);

	cookie_set(r, false, NULL);
	return e;
}

/* ---- forms ------------------------------------------------------------------------- */

static const char *
browser(struct req *r)
{
	const char *value = cookie_get(r, false);

	return value != NULL ? value : cookie_get(r, true);
}

const char *
login_form_token(struct req *r, const char *purpose)
{
	const char *value = browser(r);
	char fresh[VALUE_LEN + 1], hex[33], token[SIGNED_MAX];

	if (value == NULL) {
		random_base62(fresh, VALUE_LEN);
		cookie_set(r, true, fresh);
		value = fresh;
	}
	if (!hash_of(value, purpose, 16, hex) || signed_make(&r->c, "frm", hex, wall_ms() / 1000 + FORM_KEEP_S, token))
		return NULL;
	return arena_strdup(r->c.a, token);
}

/* Does the browser say that another site made this request? */
static bool
from_elsewhere(struct req *r)
{
	const char *site = req_header(r, "Sec-Fetch-Site"), *origin = req_header(r, "Origin"), *base = req_base_url(r);
	size_t n;

	if (site != NULL)	/* no page can set it, and it holds under every name of this host */
		return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
	if (origin == NULL)
		return false;
	n = strlen(origin);
	return strncmp(origin, base, n) != 0 || (base[n] != '\0' && base[n] != '/');
}

bool
login_form_ok(struct req *r, const char *purpose, const char *token)
{
	const char *value = browser(r), *id;
	char hex[33];
	bool ok;

	if (value == NULL || token == NULL || from_elsewhere(r) || !hash_of(value, purpose, 16, hex))
		return false;
	ok = signed_check(&r->c, "frm", token, &id) == E_OK && strcmp(id, hex) == 0;
	ctx_clear_error(&r->c);
	return ok;
}

bool
login_next_ok(const char *next)
{
	size_t n = strnlen(next, NEXT_MAX + 1);

	if (n == 0 || n > NEXT_MAX || next[0] != '/' || next[1] == '/')
		return false;
	for (; *next != '\0'; next++)
		if ((unsigned char)*next < 0x21 || (unsigned char)*next > 0x7e || *next == '\\')
			return false;
	return true;
}
