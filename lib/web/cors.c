#include "web/cors.h"

#include <string.h>
#include <strings.h>

#include "core/config.h"
#include "core/ip.h"
#include "web/res.h"

static const char allow_headers[] = "Authorization, Content-Type, Accept, Accept-Language, Idempotency-Key, X-Request-Id, Mcp-Protocol-Version, "
    "Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID";
static const char expose_headers[] = "Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    "Retry-After, X-Request-Id, ETag";

/* Is s one of the comma or space separated entries? */
static bool
listed(const char *list, const char *s, size_t n)
{
	while (*(list += strspn(list, ", \t"))) {
		size_t k = strcspn(list, ", \t");

		if (k == n && strncasecmp(list, s, n) == 0)
			return true;
		list += k;
	}
	return false;
}

/* The host of "host:port" or "[::1]:port". */
static size_t
host_length(const char *s)
{
	return *s == '[' ? strcspn(s, "]") + (strchr(s, ']') != NULL) : strcspn(s, ":/");
}

bool
host_is_loopback(const char *host)
{
	return listed("localhost,127.0.0.1,[::1]", host, host_length(host));
}

static bool
reached_on_loopback(const struct req *r)
{
	const char *addr = req_cgi(r, "SERVER_ADDR");

	return addr && ip_is_loopback(addr);
}

/* The host part of an origin "scheme://host[:port]", or NULL when it is none. */
static const char *
origin_host(const char *origin)
{
	const char *p = strstr(origin, "://");

	if (!p || (strncmp(origin, "http", 4) != 0) || strchr(p + 3, '/'))
		return NULL;
	return p + 3;
}

bool
host_allowed(const char *host, bool loopback)
{
	const char *names = cfg_str("ALLOWED_HOSTS"), *own = origin_host(cfg_str("PUBLIC_URL"));
	size_t n;

	if (!host || !*host)
		return false;
	n = host_length(host);
	if (own && host_length(own) == n && strncasecmp(own, host, n) == 0)
		return true;
	if (*names && (listed(names, host, n) || listed(names, host, strlen(host))))
		return true;
	if (loopback)
		return host_is_loopback(host);
	return !*names;
}

bool
origin_allowed(const char *origin, const char *host, bool loopback)
{
	const char *list = cfg_str("CORS_ORIGINS"), *name = origin_host(origin), *own = origin_host(cfg_str("PUBLIC_URL"));

	if (listed(list, "*", 1) || listed(list, origin, strlen(origin)))
		return true;
	if (!name)
		return false;
	if (own && strcasecmp(own, name) == 0)
		return true;
	if (host_is_loopback(name))
		return loopback;
	return host && strcasecmp(host, name) == 0 && host_allowed(host, loopback);
}

bool
cors_host_allowed(struct req *r)
{
	return host_allowed(req_header(r, "Host"), reached_on_loopback(r));
}

bool
cors_origin_allowed(struct req *r, const char *origin)
{
	return origin_allowed(origin, req_header(r, "Host"), reached_on_loopback(r));
}

void
cors_headers(struct req *r)
{
	const char *origin = req_header(r, "Origin");

	res_header(r, "Vary", "Origin");
	if (!origin || !cors_origin_allowed(r, origin))
		return;
	res_header(r, "Access-Control-Allow-Origin", listed(cfg_str("CORS_ORIGINS"), "*", 1) ? "*" : origin);
	res_header(r, "Access-Control-Expose-Headers", expose_headers);
}

enum err
cors_preflight(struct req *r, const char *allow)
{
	const char *origin = req_header(r, "Origin");

	res_header(r, "Allow", arena_printf(r->c.a, "%s, OPTIONS", allow));
	if (origin && !cors_origin_allowed(r, origin))
		return fail(&r->c, E_FORBIDDEN, "Origin: not allowed");
	res_header(r, "Access-Control-Allow-Methods", arena_printf(r->c.a, "%s, OPTIONS", allow));
	res_header(r, "Access-Control-Allow-Headers", allow_headers);
	res_header(r, "Access-Control-Max-Age", "600");
	return res_send(r, 204, NULL, NULL, 0);
}
