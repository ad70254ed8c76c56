/* Creating, rotating, revoking and listing tokens: work of the command line, as the owner of the database. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/audit.h"
#include "auth/token_internal.h"
#include "core/buf.h"
#include "core/ip.h"
#include "core/json.h"
#include "gen/sql.h"
#include "store/db.h"

#define NAME_MAX_CHARS 100
#define SCOPES_TEXT_MAX 600
#define IP_TEXT_MAX 600
#define EXPIRES_MAX_S (INT64_C(100) * 366 * 86400)

static const char *
spaced(struct ctx *c, const char *list, size_t max)
{
	struct buf b;

	buf_init(&b, c->a, 64, max * 2 + 2);
	for (;;) {
		size_t n;

		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == 0)
			return buf_str(&b);
		if (b.n > 0)
			buf_putc(&b, ' ');
		buf_put(&b, list, n);
		list += n;
	}
}

/* area:verb, area:* or * */
static bool
scope_valid(const char *p, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	size_t area = strspn(p, letters), verb;

	if (n == 1 && *p == '*')
		return true;
	if (area == 0 || area + 1 >= n || p[area] != ':')
		return false;
	p += area + 1;
	verb = *p == '*' ? 1 : strspn(p, letters);
	return area + 1 + verb == n;
}

static enum err
check_scopes(struct ctx *c, const char *list)
{
	int count = 0;

	for (; *list != '\0'; count++) {
		size_t n = strcspn(list, " ");

		if (!scope_valid(list, n))
			return fail(c, E_INVALID, "scopes: \"%.*s\" is not of the form area:verb, area:* or *", n > 60 ? 60 : (int)n, list);
		list += n + (list[n] == ' ');
	}
	if (count == 0)
		return fail(c, E_INVALID, "scopes: at least one is required");
	if (count > SCOPES_MAX)
		return fail(c, E_INVALID, "scopes: at most %d", SCOPES_MAX);
	return E_OK;
}

static enum err
check_spec(struct ctx *c, const struct token_spec *s, const char *kind)
{
	size_t n = s->name ? strlen(s->name) : 0;

	if (n == 0 || n > NAME_MAX_CHARS * 4 || !utf8_valid(s->name, n) || utf8_length(s->name, n) > NAME_MAX_CHARS)
		return fail(c, E_INVALID, "name: 1 to %d characters", NAME_MAX_CHARS);
	if (strcmp(kind, "staff") != 0 && strcmp(kind, "service") != 0 && strcmp(kind, "system") != 0)
		return fail(c, E_INVALID, "kind: must be staff, service or system");
	if (s->scopes == NULL || strlen(s->scopes) > SCOPES_TEXT_MAX)
		return fail(c, E_INVALID, "scopes: 1 to %d bytes", SCOPES_TEXT_MAX);
	if (s->rate_class != NULL && s->rate_class[0] != '\0' && strcmp(s->rate_class, "bulk") != 0)
		return fail(c, E_INVALID, "rate class: must be bulk or empty");
	if (s->ip_allow != NULL && (strlen(s->ip_allow) > IP_TEXT_MAX || !ip_list_valid(s->ip_allow)))
		return fail(c, E_INVALID, "allowed addresses: must be IP addresses or networks such as 10.0.0.0/8");
	if (s->ip_allow != NULL && s->ip_allow[0] != '\0' && s->ip_allow[strspn(s->ip_allow, ", \t")] == '\0')
		return fail(c, E_INVALID, "allowed addresses: none is named");
	if (s->expires_in_s < 0 || s->expires_in_s > EXPIRES_MAX_S)
		return fail(c, E_INVALID, "expiry: must be 0 (never) or up to a hundred years");
	return E_OK;
}

const char *
token_list_spaced(struct ctx *c, const char *list)
{
	return spaced(c, list, strlen(list));
}

enum err
token_scopes_check(struct ctx *c, const char *list, bool required, const char **out)
{
	if (strlen(list) > SCOPES_TEXT_MAX)
		return fail(c, E_INVALID, "scopes: 1 to %d bytes", SCOPES_TEXT_MAX);
	*out = spaced(c, list, SCOPES_TEXT_MAX);
	return **out == '\0' && !required ? E_OK : check_scopes(c, *out);
}

static enum err
make(struct ctx *c, char out[TOKEN_TEXT_MAX], struct token_text *t, const char **hex)
{
	char *p = arena_alloc(c->a, TOKEN_HASH_LEN * 2 + 1);

	out[0] = '\0';
	if (!token_new(out, t)) {
		sodium_memzero(out, TOKEN_TEXT_MAX);
		return fail(c, E_INVALID, "TOKEN_PEPPER is not set: tokens need it");
	}
	*hex = sodium_bin2hex(p, TOKEN_HASH_LEN * 2 + 1, t->hash, TOKEN_HASH_LEN);
	return E_OK;
}

enum err
token_create(struct ctx *c, const struct token_spec *spec, char out[TOKEN_TEXT_MAX])
{
	const char *kind = spec->kind && spec->kind[0] ? spec->kind : "staff";
	const char *v[8] = { NULL, spec->name, NULL, NULL, kind, spec->rate_class ? spec->rate_class : "", "", NULL };
	struct token_text t;
	struct buf details;
	char expires[24];
	enum err e;

	out[0] = '\0';
	if ((e = check_spec(c, spec, kind)) != E_OK)
		return e;
	v[3] = spaced(c, spec->scopes, SCOPES_TEXT_MAX);
	if (spec->ip_allow != NULL)
		v[6] = spaced(c, spec->ip_allow, IP_TEXT_MAX);
	if ((e = check_scopes(c, v[3])) != E_OK || (e = make(c, out, &t, &v[2])) != E_OK)
		return e;
	v[0] = t.id;
	(void)snprintf(expires, sizeof(expires), "%" PRId64, spec->expires_in_s);
	v[7] = expires;
	buf_init(&details, c->a, 256, 1 << 16);
	buf_puts(&details, "{\"name\":");
	buf_json_cstr(&details, spec->name);
	buf_puts(&details, ",\"kind\":");
	buf_json_cstr(&details, kind);
	buf_puts(&details, ",\"scopes\":");
	buf_json_cstr(&details, v[3]);
	buf_putc(&details, '}');
	e = audit_change(c, &sql_token_create, 8, v, "token", "token.create", buf_str(&details));
	if (e != E_OK)
		sodium_memzero(out, TOKEN_TEXT_MAX);
	return e;
}

enum err
token_rotate(struct ctx *c, const char *id, int64_t overlap_s, char out[TOKEN_TEXT_MAX])
{
	const char *v[4] = { id, NULL, NULL, NULL };
	struct token_text t;
	struct buf details;
	char overlap[24];
	enum err e;

	out[0] = '\0';
	if (overlap_s < 0 || overlap_s > EXPIRES_MAX_S)
		return fail(c, E_INVALID, "overlap: must be 0 or more seconds");
	if ((e = make(c, out, &t, &v[2])) != E_OK)
		return e;
	v[1] = t.id;
	(void)snprintf(overlap, sizeof(overlap), "%" PRId64, overlap_s);
	v[3] = overlap;
	buf_init(&details, c->a, 64, 1024);
	buf_puts(&details, "{\"from\":");
	buf_json_cstr(&details, id);
	buf_printf(&details, ",\"overlap_s\":%s}", overlap);
	e = audit_change(c, &sql_token_rotate, 4, v, "token", "token.rotate", buf_str(&details));
	if (e != E_OK)
		sodium_memzero(out, TOKEN_TEXT_MAX);
	return e;
}

enum err
token_revoke(struct ctx *c, const char *id)
{
	const char *v[1] = { id };

	return audit_change(c, &sql_token_revoke, 1, v, "token", "token.revoke", "{}");
}

enum err
token_list(struct ctx *c, const char **json, size_t *n)
{
	return db_text(c, &sql_token_list, 0, NULL, json, n);
}
