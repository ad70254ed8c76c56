/* The fixed order around every handler: address -> route -> body -> speaker -> scope -> rate -> handler -> answer -> metrics and log. */
#include "web/request.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/subject.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "ops/metrics.h"
#include "store/db.h"
#include "tool/rest.h"
#include "web/app.h"
#include "web/conn.h"
#include "web/cors.h"
#include "web/res.h"
#include "web/router.h"

#define READ_STEP 65536

static size_t
body_max(const struct req *r)
{
	return (size_t)cfg_int(r->route && (r->route->flags & ROUTE_LARGE) ? "BODY_MAX_IMPORT" : "BODY_MAX");
}

/* Content-Length only refuses early; chunked bodies may come without one, so reading goes on to the end of input. */
static enum err
read_all(struct req *r)
{
	const char *len = req_cgi(r, "CONTENT_LENGTH");
	size_t max = body_max(r), announced = len && *len ? strtoul(len, NULL, 10) : 0, cap, n = 0, got;
	char *p;

	if (announced > max)
		return fail(&r->c, E_TOO_LARGE, "body: larger than %zu bytes", max);
	cap = announced ? announced + 1 : READ_STEP;
	p = arena_alloc(r->c.a, cap + 1);
	while ((got = conn_read(r->conn, p + n, cap - n)) > 0) {
		n += got;
		if (n > max)
			return fail(&r->c, E_TOO_LARGE, "body: larger than %zu bytes", max);
		if (n == cap) {
			p = arena_grow(r->c.a, p, cap + 1, cap + cap / 2 + READ_STEP + 1);
			cap += cap / 2 + READ_STEP;
		}
	}
	if (announced && n != announced)
		return fail(&r->c, E_INVALID, "body: ended after %zu of %zu bytes", n, announced);
	p[n] = '\0';
	r->body = p;
	r->bodysz = n;
	return E_OK;
}

static bool
is_json_type(const char *type)
{
	return type && strncasecmp(type, "application/json", 16) == 0 && strchr("; \t", type[16]) != NULL;
}

enum err
req_read_body(struct req *r)
{
	enum err e;

	r->body = "";
	if (r->method == M_GET || r->method == M_HEAD || r->method == M_OPTIONS)
		return E_OK;
	if ((e = read_all(r)) || r->bodysz == 0 || (r->route->flags & ROUTE_RAW_BODY))
		return e;
	if (!is_json_type(req_cgi(r, "CONTENT_TYPE")))
		return fail(&r->c, E_MEDIA_TYPE, "Content-Type: must be application/json");
	return json_parse(&r->c, r->body, r->bodysz, &r->json);
}

static void
be_anonymous(struct req *r)
{
	subject_anonymous(&r->c, r->remote_ip, &r->who);
}

enum err
req_authenticate(struct req *r)
{
	struct bearer b = { .remote_ip = r->remote_ip, .recall = (r->route->flags & ROUTE_WHEN_DOWN) != 0 };
	const char *auth = req_header(r, "Authorization");
	enum err e;

	be_anonymous(r);
	if (!auth)
		return E_OK;
	if (strncasecmp(auth, "Bearer ", 7) != 0)
		return fail(&r->c, E_UNAUTHENTICATED, "Authorization: must be Bearer with a token");
	b.text = auth + 7 + strspn(auth + 7, " ");
	b.base_url = r->c.base_url;
	b.path = r->path;
	e = subject_resolve(&r->c, &b, &r->who);
	if (e != E_OK) {
		be_anonymous(r);
		if (e == E_UNAUTHENTICATED)
			metrics_count("souk_auth_failures_total", "reason", "token");
	}
	return e;
}

static enum err
check_scope(struct req *r)
{
	if (scope_held(&r->who, r->route->scope))
		return E_OK;
	if (!subject_known(&r->who))
		return fail(&r->c, E_UNAUTHENTICATED, "MCP API key required");
	return fail(&r->c, E_FORBIDDEN, "this token lacks the scope %s", r->route->scope);
}

/* Tool rows and ROUTE_OWN_RATE handlers count for themselves, in tool_call(). */
static enum err
admit(struct req *r)
{
	const struct route *t = r->route;
	enum err e = E_OK;

	r->c.base_url = req_base_url(r);
	if (t->flags & ROUTE_NO_AUTH)
		be_anonymous(r);
	else
		e = req_authenticate(r);
	if (e && !(t->flags & ROUTE_ANY_AUTH))
		return e;
	r->auth = e;
	if (e) {
		int retry_after_s = r->c.retry_after_s;

		ctx_clear_error(&r->c);
		r->c.retry_after_s = retry_after_s;
	}
	if (t->tool || (t->flags & ROUTE_OWN_RATE))
		return E_OK;
	if ((e = check_scope(r)))
		return e;
	r->rated = true;
	return rate_hit(&r->c, &r->who, t->rate, &r->rate);
}

static enum err
refuse_repeated_params(struct req *r)
{
	for (size_t i = 0; i < r->nparams; i++)
		for (size_t k = 0; k < i && !r->route->tool; k++)
			if (strcmp(r->params[i].name, r->params[k].name) == 0)
				return fail(&r->c, E_INVALID, "%s: given twice", r->params[i].name);
	return E_OK;
}

static enum err
serve(struct req *r)
{
	const char *allow;
	enum err e;

	if ((e = req_init(r)))
		return e;
	if (r->method == M_OPTIONS) {
		be_anonymous(r);
		if ((allow = router_methods(r)) == NULL)
			return fail(&r->c, E_NOT_FOUND, "no such route: %.200s", r->path);
		return cors_preflight(r, allow);
	}
	if ((e = router_find(r)) || (e = admit(r)) || (e = refuse_repeated_params(r)) || (e = req_read_body(r)))
		return e;
	e = r->route->tool ? tool_rest(r, r->route->tool) : r->route->handler(r);
	if (e == E_OK && !res_done(r))
		return fail(&r->c, E_INTERNAL, NULL);
	return e;
}

void
req_show_rate(struct req *r)
{
	if (r->rated)
		return;
	if (!r->who.principal)
		be_anonymous(r);
	rate_peek(&r->c, &r->who, r->route && r->route->rate ? r->route->rate : "data", &r->rate);
	r->rated = true;
}

/* What the answer meant.  A handler that told an error in a form of its own (MCP) returned E_OK; its status says what it was. */
static enum err
outcome(const struct req *r, enum err e)
{
	if (e != E_OK || r->res->status < 400)
		return e;
	for (e = E_INVALID; e < E_INTERNAL; e++)
		if (err_info(e)->http == r->res->status)
			return e;
	return r->res->status < 500 ? E_INVALID : E_INTERNAL;
}

static void
account(struct req *r, enum err e)
{
	int64_t us = now_us() - r->started_us;
	const struct route *t = r->route;
	int level = e == E_OK ? (t && (t->flags & ROUTE_QUIET) ? LOG_DEBUG_ : LOG_INFO_) : err_info(e)->level;

	if (!t || !t->tool)	/* tools are counted by tool_call() */
		metrics_request("rest", t ? t->path : "none", e ? err_info(e)->code : "OK", us);
	if (log_on((enum log_level)level)) {
		const struct log_field f[] = {
			LOG_S("method", method_name(r->method)), LOG_S("route", t ? t->path : ""), LOG_I("status", r->res->status),
			LOG_S("code", e ? err_info(e)->code : "OK"), LOG_S("token", r->who.token_id), LOG_I("us", us), LOG_END,
		};
		/* what a refusal tells may repeat what the caller sent, so that is for debugging alone */
		const char *told = r->c.err != E_OK && log_on(LOG_DEBUG_) ? ctx_message(&r->c) : err_info(e)->message;

		log_line((enum log_level)level, &r->c, e == E_OK ? "request" : told, f);
	}
}

/* Start over with the arena: nothing of the request that overflowed it is needed for the refusal. */
static void
overflowed(struct req *r, struct arena *a, struct conn *k)
{
	struct res *res;
	bool sent = r->res && r->res->status;

	db_rollback(&r->c);
	if (sent)
		return;
	arena_reset(a);
	res = arena_zalloc(a, 1, sizeof *res);
	*r = (struct req){ .c.a = a, .conn = k, .res = res, .method = r->method, .remote_ip = "unknown", .started_us = r->started_us };
	buf_init(&res->headers, a, 1024, 16384);
	res_error(r, fail(&r->c, E_TOO_LARGE, "the request needs more memory than allowed"));
}

void
app_request(struct conn *k)
{
	static struct arena arena;
	static struct req req;
	struct req *r = &req;
	jmp_buf overflow;
	enum err e;

	if (arena.max == 0)
		arena_init(&arena, (size_t)cfg_int("REQUEST_MEMORY_MAX"));
	arena.overflow = &overflow;
	metrics_in_flight(1);
	if (setjmp(overflow) == 0) {
		req = (struct req){ .c.a = &arena, .conn = k, .remote_ip = "unknown", .started_us = now_us() };
		r->res = arena_zalloc(&arena, 1, sizeof *r->res);
		buf_init(&r->res->headers, &arena, 1024, 16384);
		e = serve(r);
		if (!res_done(r))
			res_error(r, e);
		account(r, outcome(r, e));
	} else {
		overflowed(r, &arena, k);
		metrics_request("rest", "none", err_info(E_TOO_LARGE)->code, now_us() - r->started_us);
	}
	conn_finish(k);
	metrics_in_flight(-1);
	arena.overflow = NULL;
	arena_reset(&arena);
}
