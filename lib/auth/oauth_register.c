/* Clients that say who they are: registration (RFC 7591), and what it has in common with metadata documents. */
#include <string.h>
#include <strings.h>

#include "auth/oauth_internal.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/random.h"
#include "core/utf8.h"
#include "gen/sql.h"
#include "store/db.h"

#define ID_PREFIX "dcr_"
#define ID_RANDOM 24
#define BODY_LIMIT 16384
#define NAME_CHARS 100

static bool
refuse(struct oauth_metadata *m, const char *error, const char *why)
{
	m->error = error;
	m->why = why;
	return false;
}

static bool
read_redirects(struct ctx *c, json_object *o, struct oauth_metadata *m)
{
	json_object *list, *one;
	const char *why;
	size_t n;

	if (json_get_array(o, "redirect_uris", &list) != JSON_OK || (n = json_object_array_length(list)) == 0)
		return refuse(m, "invalid_redirect_uri", "redirect_uris: at least one is required");
	if (n > URIS_MAX)
		return refuse(m, "invalid_redirect_uri", "redirect_uris: too many");
	for (size_t i = 0; i < n; i++) {
		one = json_object_array_get_idx(list, i);
		why = json_object_is_type(one, json_type_string) && strlen(json_object_get_string(one)) == (size_t)json_object_get_string_len(one) ?
		    redirect_fault(json_object_get_string(one)) : "is no text";
		if (why != NULL)
			return refuse(m, "invalid_redirect_uri", arena_printf(c->a, "redirect_uris: number %zu %s", i + 1, why));
	}
	m->redirect_uris = json_text(c, list, &n);
	return true;
}

/* The character of n bytes at s, which is valid UTF-8. */
static uint32_t
character(const char *s, size_t n)
{
	uint32_t ch = n == 1 ? (unsigned char)*s : (unsigned char)*s & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		ch = ch << 6 | ((unsigned char)s[i] & 0x3fu);
	return ch;
}

/* Marks that nobody sees, and those that turn the direction of text around. */
static bool
is_hidden(uint32_t ch)
{
	static const struct { uint32_t from, to; } ranges[] = { { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff } };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (ch >= ranges[i].from && ch <= ranges[i].to)
			return true;
	return false;
}

/* Shown to people: one line, nothing that could be taken for something else. */
static const char *
plain_name(struct ctx *c, const char *s, size_t n)
{
	char *out = arena_alloc(c->a, n + 1);
	size_t used = 0, step;

	for (size_t i = 0; i < n; i += step) {
		uint32_t ch;

		if ((step = utf8_step((const unsigned char *)s + i, n - i)) == 0)
			break;
		ch = character(s + i, step);
		if (is_hidden(ch))
			continue;
		if (ch <= ' ' || (ch >= 0x7f && ch <= 0xa0)) {
			if (used > 0 && out[used - 1] != ' ')
				out[used++] = ' ';
			continue;
		}
		memcpy(out + used, s + i, step);
		used += step;
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
	return out;
}

static bool
read_name(struct ctx *c, json_object *o, struct oauth_metadata *m)
{
	const char *text;
	size_t n;

	switch (json_get_string(o, "client_name", 0, 4 * NAME_CHARS, &text, &n)) {
	case JSON_OK:
		m->name = plain_name(c, text, n);
		if (utf8_length(m->name, strlen(m->name)) > NAME_CHARS)
			return refuse(m, "invalid_client_metadata", "client_name: at most 100 characters");
		break;
	case JSON_ABSENT:
	case JSON_NULL:
		m->name = "";
		break;
	default:
		return refuse(m, "invalid_client_metadata", "client_name: must be text of at most 100 characters");
	}
	return true;
}

/* A member that has to be a list of texts with one in it, when it is there. */
static bool
list_has(json_object *o, const char *member, const char *needed)
{
	json_object *list;

	if (json_get_array(o, member, &list) != JSON_OK)
		return !json_object_object_get_ex(o, member, NULL);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *one = json_object_array_get_idx(list, i);

		if (json_object_is_type(one, json_type_string) && strcmp(json_object_get_string(one), needed) == 0)
			return true;
	}
	return false;
}

bool
metadata_read(struct ctx *c, json_object *o, struct oauth_metadata *m)
{
	size_t n;

	*m = (struct oauth_metadata){ .method = "none", .scopes = "" };
	if (!json_object_is_type(o, json_type_object))
		return refuse(m, "invalid_client_metadata", "must be an object");
	if (!read_redirects(c, o, m) || !read_name(c, o, m))
		return false;
	if (json_get_string(o, "client_uri", 0, URI_MAX, &m->uri, &n) != JSON_OK || strncmp(m->uri, "https://", 8) != 0 ||
	    redirect_fault(m->uri) != NULL)
		m->uri = NULL;
	if (json_get_string(o, "token_endpoint_auth_method", 1, 64, &m->method, &n) == JSON_TYPE)
		return refuse(m, "invalid_client_metadata", "token_endpoint_auth_method: must be text");
	if (strcmp(m->method, "none") != 0 && strcmp(m->method, "client_secret_basic") != 0 && strcmp(m->method, "client_secret_post") != 0)
		return refuse(m, "invalid_client_metadata", "token_endpoint_auth_method: must be none, client_secret_basic or client_secret_post");
	if (!list_has(o, "grant_types", "authorization_code"))
		return refuse(m, "invalid_client_metadata", "grant_types: must hold authorization_code");
	if (!list_has(o, "response_types", "code"))
		return refuse(m, "invalid_client_metadata", "response_types: must hold code");
	switch (json_get_string(o, "scope", 0, 1000, &m->scopes, &n)) {
	case JSON_OK:
	case JSON_ABSENT:
	case JSON_NULL:
		return true;
	default:
		return refuse(m, "invalid_client_metadata", "scope: must be text of at most 1000 bytes");
	}
}

static void
put_member(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, ",\"%s\":", name);
	buf_json_cstr(b, text);
}

/* 201 with what was registered, which may be less than what was asked for. */
static enum err
tell(struct req *r, const struct oauth_metadata *m, const char *id, const char *secret)
{
	struct buf b;

	buf_init(&b, r->c.a, 1024, 32768);
	buf_puts(&b, "{\"client_id\":");
	buf_json_cstr(&b, id);
	buf_printf(&b, ",\"client_id_issued_at\":%lld", (long long)(wall_ms() / 1000));
	if (*secret != '\0') {
		put_member(&b, "client_secret", secret);
		buf_puts(&b, ",\"client_secret_expires_at\":0");
	}
	put_member(&b, "client_name", m->name);
	if (m->uri != NULL)
		put_member(&b, "client_uri", m->uri);
	buf_printf(&b, ",\"redirect_uris\":%s", m->redirect_uris);
	buf_puts(&b, ",\"grant_types\":[\"authorization_code\",\"refresh_token\"],\"response_types\":[\"code\"]");
	put_member(&b, "token_endpoint_auth_method", m->method);
	if (*m->scopes != '\0')
		put_member(&b, "scope", m->scopes);
	buf_putc(&b, '}');
	return res_send(r, 201, "application/json", b.p, b.n);
}

static enum err
store(struct req *r, struct oauth_metadata *m)
{
	char id[sizeof(ID_PREFIX) + ID_RANDOM] = ID_PREFIX, secret[TOKEN_SECRET_LEN + 1] = "", hex[2 * TOKEN_HASH_LEN + 1];
	bool has_secret = strcmp(m->method, "none") != 0;
	const char *v[8] = { id, m->name, m->uri, m->redirect_uris, m->method, NULL, m->scopes, CLIENTS_UNUSED_MAX };
	PGresult *res;

	random_base62(id + sizeof(ID_PREFIX) - 1, ID_RANDOM);
	if (has_secret) {
		if (!secret_new(secret, hex))
			return fail(&r->c, E_UNAVAILABLE, NULL);
		v[5] = hex;
	}
	if (db_write(&r->c, &sql_oauth_register, 8, v, &res))
		return r->c.err;
	if (strcmp(PQgetvalue(res, 0, 0), "ok") != 0) {
		r->c.retry_after_s = 3600;
		return fail(&r->c, E_RATE_LIMITED, "too many registered clients wait to be used");
	}
	return tell(r, m, id, secret);
}

/* What a client without a name is called. */
static const char *
first_host(struct ctx *c, json_object *o)
{
	json_object *list = json_object_object_get(o, "redirect_uris");
	const char *host = uri_host(c, json_object_get_string(json_object_array_get_idx(list, 0)));

	return *host != '\0' && strlen(host) <= NAME_CHARS ? host : "?";
}

enum err
oauth_register(struct req *r)
{
	struct oauth_metadata m;
	const char *issuer, *type = req_header(r, "Content-Type");
	json_object *o;

	if (oauth_open(r, &issuer))
		return r->c.err;
	if (!cfg_bool("OAUTH_REGISTRATION"))
		return fail(&r->c, E_NOT_FOUND, "no such route: %.200s", r->path);
	if (type == NULL || strncasecmp(type, "application/json", 16) != 0 || strchr("; \t", type[16]) == NULL)
		return oauth_refuse(r, 400, "invalid_client_metadata", "Content-Type: must be application/json");
	if (r->bodysz > BODY_LIMIT)
		return oauth_refuse(r, 413, "invalid_client_metadata", "larger than 16384 bytes");
	if (json_parse(&r->c, r->body, r->bodysz, &o) != E_OK)
		return oauth_refuse(r, 400, "invalid_client_metadata", ctx_message(&r->c));
	if (!metadata_read(&r->c, o, &m))
		return oauth_refuse(r, 400, m.error, m.why);
	if (*m.name == '\0')
		m.name = first_host(&r->c, o);
	/* only scopes that exist are kept: the rest could never be granted */
	m.scopes = scopes_among(&r->c, m.scopes, resource_scopes(&r->c, issuer, issuer));
	return store(r, &m);
}
