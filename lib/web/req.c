#include "web/req.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/ip.h"
#include "core/json.h"
#include "core/random.h"
#include "web/conn.h"
#include "web/request.h"
#include "web/router.h"

#define PARAMS_MAX 64
#define TARGET_MAX 8192

const char *
req_cgi(const struct req *r, const char *name)
{
	return conn_env(r->conn, name);
}

const char *
req_header(const struct req *r, const char *name)
{
	char var[128] = "HTTP_";
	size_t n = strlen(name);
	const char *v;

	if (n >= sizeof var - 5)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		var[5 + i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
	if (strcmp(var, "HTTP_CONTENT_TYPE") == 0 || strcmp(var, "HTTP_CONTENT_LENGTH") == 0)
		return conn_env(r->conn, var + 5);
	v = conn_env(r->conn, var);
	if (!v && strcmp(var, "HTTP_AUTHORIZATION") == 0)
		v = conn_env(r->conn, "REDIRECT_HTTP_AUTHORIZATION");	/* Apache after an internal redirect */
	return v;
}

const char *
req_param(const struct req *r, const char *name)
{
	for (size_t i = 0; i < r->nparams; i++)
		if (strcmp(r->params[i].name, name) == 0)
			return r->params[i].value;
	return NULL;
}

const char *
req_var(const struct req *r, const char *name)
{
	const char *open = strchr(r->route->path, '{'), *var;
	size_t n = strlen(name), varsz;

	if (!open || strncmp(open + 1, name, n) != 0 || open[1 + n] != '}')
		return NULL;
	if (!router_match(r->route->path, r->path, &var, &varsz) || !var)
		return NULL;
	return arena_strndup(r->c.a, var, varsz);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err
url_decode(struct ctx *c, const char *s, size_t n, bool plus, const char **out, size_t *outsz)
{
	char *p = arena_alloc(c->a, n + 1);
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		char ch = s[i];

		if (ch == '%') {
			int hi = n - i > 2 ? hex(s[i + 1]) : -1, lo = n - i > 2 ? hex(s[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return fail(c, E_INVALID, "URL: broken %%-escape");
			ch = (char)(hi * 16 + lo);
			i += 2;
		} else if (ch == '+' && plus)
			ch = ' ';
		if (ch == '\0')
			return fail(c, E_INVALID, "URL: contains a NUL byte");
		p[k++] = ch;
	}
	p[k] = '\0';
	if (!utf8_valid(p, k))
		return fail(c, E_INVALID, "URL: not UTF-8");
	*out = p;
	if (outsz)
		*outsz = k;
	return E_OK;
}

enum err
query_parse(struct ctx *c, const char *query, struct pair **out, size_t *n)
{
	struct pair *list = arena_zalloc(c->a, PARAMS_MAX, sizeof *list);
	size_t k = 0;

	while (*query) {
		size_t len = strcspn(query, "&"), name = strcspn(query, "=&"), val = name < len ? name + 1 : len;
		enum err e;

		if (len > 0) {
			if (k == PARAMS_MAX)
				return fail(c, E_INVALID, "query: more than %d parameters", PARAMS_MAX);
			if ((e = url_decode(c, query, name, true, &list[k].name, NULL)) ||
			    (e = url_decode(c, query + val, len - val, true, &list[k].value, &list[k].valuesz)))
				return e;
			k++;
		}
		query += len + (query[len] == '&');
	}
	*out = list;
	*n = k;
	return E_OK;
}

/* The correlation id: the caller's X-Request-Id when it is well formed, else a new one. */
static void
set_id(struct req *r)
{
	const char *given = req_header(r, "X-Request-Id");
	size_t n = given ? strlen(given) : 0;

	if (n >= 8 && n <= 36 && strspn(given, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == n)
		memcpy(r->c.id, given, n + 1);
	else
		random_uuid(r->c.id);
}

/*
 * The client's address.  X-Forwarded-For is believed only as far as trusted proxies wrote it: from the right, the first address that is not one
 * of them.
 */
static const char *
client_ip(const struct req *r)
{
	const char *ip = req_cgi(r, "REMOTE_ADDR"), *trusted = cfg_str("TRUSTED_PROXIES"), *fwd;
	size_t n;

	if (!ip || !*ip)
		return "unknown";
	if (!*trusted || !ip_in_list(ip, trusted) || !(fwd = req_header(r, "X-Forwarded-For")))
		return arena_strdup(r->c.a, ip);
	for (n = strlen(fwd); n > 0;) {
		size_t end = n, start;

		while (end > 0 && strchr(" \t,", fwd[end - 1]))
			end--;
		for (start = end; start > 0 && !strchr(" \t,", fwd[start - 1]); start--)
			;
		if (start == end)
			break;
		ip = arena_strndup(r->c.a, fwd + start, end - start);
		if (!ip_in_list(ip, trusted))
			break;
		n = start;
	}
	return arena_strdup(r->c.a, ip);
}

static const struct { const char *name; enum method m; } method_names[] = {
	{ "GET", M_GET }, { "POST", M_POST }, { "PUT", M_PUT }, { "PATCH", M_PATCH }, { "DELETE", M_DELETE }, { "OPTIONS", M_OPTIONS }, { "HEAD", M_HEAD },
};

static enum err
set_method(struct req *r)
{
	const char *name = req_cgi(r, "REQUEST_METHOD");

	for (size_t i = 0; name && i < sizeof method_names / sizeof *method_names; i++)
		if (strcmp(name, method_names[i].name) == 0) {
			r->method = method_names[i].m;
			return E_OK;
		}
	r->method = M_GET;
	return fail(&r->c, E_METHOD, "method not known here");
}

static void well_known_target(struct req *r);

/* REQUEST_URI is the raw target on every server, also after rewriting; "index.php?mcp&page&..." of older clients means /api/mcp/page. */
static enum err
set_target(struct req *r)
{
	const char *uri = req_cgi(r, "REQUEST_URI"), *base = cfg_str("BASE_PATH"), *cut;
	size_t n, basesz = strlen(base);
	enum err e;

	r->path = r->query = "";
	if (!uri || strlen(uri) > TARGET_MAX)
		return fail(&r->c, E_INVALID, "URL: missing or longer than %d bytes", TARGET_MAX);
	if (strncmp(uri, "http://", 7) == 0 || strncmp(uri, "https://", 8) == 0) {	/* absolute form of a proxy request */
		uri = strchr(uri + 8, '/');
		uri = uri ? uri : "/";
	}
	if (basesz && strncmp(uri, base, basesz) == 0 && strchr("/?", uri[basesz]))
		uri += basesz;
	cut = strchr(uri, '?');
	n = cut ? (size_t)(cut - uri) : strlen(uri);
	r->query = cut ? arena_strdup(r->c.a, cut + 1) : "";
	if ((e = url_decode(&r->c, uri, n, false, &r->path, NULL)))
		return e;
	legacy_target(r);
	well_known_target(r);
	return query_parse(&r->c, r->query, &r->params, &r->nparams);
}

/*
 * Metadata of what has a path stands at /.well-known/NAME{path} (RFC 8414, RFC 9728), so BASE_PATH comes behind the name:
 * "/.well-known/oauth-protected-resource/shop/mcp" -> "/.well-known/oauth-protected-resource/mcp".
 */
static void
well_known_target(struct req *r)
{
	static const char begin[] = "/.well-known/";
	const char *base = cfg_str("BASE_PATH"), *rest;
	size_t n = strlen(base);

	if (n == 0 || strncmp(r->path, begin, sizeof begin - 1) != 0 || (rest = strchr(r->path + sizeof begin - 1, '/')) == NULL)
		return;
	if (strncmp(rest, base, n) == 0 && (rest[n] == '/' || rest[n] == '\0'))
		r->path = arena_printf(r->c.a, "%.*s%s", (int)(rest - r->path), r->path, rest + n);
}

/* "/index.php?mcp&customersProducts&action=..." */
void
legacy_target(struct req *r)
{
	size_t n = strlen(r->path), page;
	const char *q = r->query;

	if (n < 10 || strcmp(r->path + n - 10, "/index.php") != 0 || strncmp(q, "mcp", 3) != 0 || (q[3] != '&' && q[3] != '='))
		return;
	q += 3 + strcspn(q + 3, "&");
	q += *q == '&';
	page = strcspn(q, "&=");
	if (page == 0 || page > 40)
		return;
	r->path = arena_printf(r->c.a, "/api/mcp/%.*s", (int)page, q);
	q += strcspn(q, "&");
	r->query = q + (*q == '&');
}

const char *
locale_among(struct ctx *c, const char *accept, const char *have)
{
	const char *best = NULL;
	double best_q = 0;

	for (const char *p = accept ? accept : ""; *p;) {
		size_t len = strcspn(p, ","), tag = strcspn(p, ",;-");
		const char *qs = strstr(p, "q=");
		double q = qs && qs < p + len && qs[2] == '0' ? 0.1 * (qs[3] == '.' && qs[4] >= '0' && qs[4] <= '9' ? qs[4] - '0' : 0) : 1;

		for (const char *h = have; *h; h += strcspn(h, ","), h += *h == ',') {
			size_t hn;

			h += strspn(h, " ");
			hn = strcspn(h, ", ");
			if (hn == tag && strncasecmp(h, p, tag) == 0 && q > best_q) {
				best = arena_strndup(c->a, h, hn);
				best_q = q;
			}
		}
		p += len + (p[len] == ',');
		p += strspn(p, " \t");
	}
	return best;
}

const char *
locale_negotiate(struct ctx *c, const char *accept)
{
	const char *best = locale_among(c, accept, cfg_str("SHOP_LOCALES"));

	return best ? best : cfg_str("SHOP_LOCALE");
}

enum err
req_init(struct req *r)
{
	const char *https = req_cgi(r, "HTTPS"), *scheme = req_cgi(r, "REQUEST_SCHEME");
	enum err e;

	r->started_us = now_us();
	r->c.deadline_ms = now_ms() + cfg_int("API_TIMEOUT_MS");
	set_id(r);
	r->remote_ip = client_ip(r);
	r->https = (https && strcasecmp(https, "on") == 0) || (scheme && strcasecmp(scheme, "https") == 0);
	if (!r->https && *cfg_str("TRUSTED_PROXIES") && ip_in_list(req_cgi(r, "REMOTE_ADDR"), cfg_str("TRUSTED_PROXIES"))) {
		const char *proto = req_header(r, "X-Forwarded-Proto");

		r->https = proto && strcasecmp(proto, "https") == 0;
	}
	r->locale = locale_negotiate(&r->c, req_header(r, "Accept-Language"));
	if ((e = set_method(r)))
		return e;
	return set_target(r);
}

/* Host is used in URLs that we print, so only what can be a host and port is taken. */
const char *
req_base_url(struct req *r)
{
	const char *host = req_header(r, "Host"), *fixed = cfg_str("PUBLIC_URL");
	size_t n = strlen(fixed);

	if (n > 0)
		return arena_strndup(r->c.a, fixed, fixed[n - 1] == '/' ? n - 1 : n);
	if (!host || !*host || strlen(host) > 255 || strspn(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:[]") != strlen(host))
		host = "localhost";
	return arena_printf(r->c.a, "%s://%s%s", r->https ? "https" : "http", host, cfg_str("BASE_PATH"));
}
