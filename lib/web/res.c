#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/oauth.h"
#include "core/clock.h"
#include "core/config.h"
#include "tool/tool.h"
#include "web/conn.h"
#include "web/cors.h"
#include "web/req.h"
#include "web/request.h"
#include "web/res.h"

#define HEADERS_MAX 16384

void
res_header(struct req *r, const char *name, const char *value)
{
	struct buf *b = &r->res->headers;

	if (strpbrk(value, "\r\n"))	/* a value with a line break would be a second header */
		return;
	buf_puts(b, name);
	buf_put(b, ": ", 2);
	buf_puts(b, value);
	buf_put(b, "\r\n", 2);
}

bool
res_done(const struct req *r)
{
	return r->res->status != 0;
}

static void
rate_headers(struct req *r)
{
	struct buf *b = &r->res->headers;
	int64_t limit, left;

	req_show_rate(r);
	limit = r->rate.limit;
	left = r->rate.remaining;

	if (limit < 0)		/* unlimited: clients expect a number */
		limit = left = INT32_MAX;
	buf_puts(b, "RateLimit-Limit: ");
	buf_int(b, limit);
	buf_puts(b, "\r\nRateLimit-Remaining: ");
	buf_int(b, left < 0 ? 0 : left);
	buf_puts(b, "\r\nRateLimit-Reset: ");
	buf_int(b, r->rate.reset_s);
	buf_puts(b, "\r\n");
}

/* Status line and the headers that every response has. */
static void
begin(struct req *r, int status, const char *type)
{
	struct buf *b = &r->res->headers;

	r->res->status = status;
	res_header(r, "X-Request-Id", r->c.id);
	res_header(r, "X-Content-Type-Options", "nosniff");
	if (type)
		res_header(r, "Content-Type", type);
	if (!strstr(buf_str(b), "Cache-Control:"))
		res_header(r, "Cache-Control", "no-store");
	rate_headers(r);
	cors_headers(r);
}

static void
write_status(struct req *r, int status)
{
	char line[32];
	int n = snprintf(line, sizeof line, "Status: %d\r\n", status);

	r->res->broken |= !conn_write(r->conn, line, (size_t)n);
}

enum err
res_send(struct req *r, int status, const char *type, const char *body, size_t n)
{
	struct buf *b = &r->res->headers;

	if (res_done(r))
		return E_OK;
	begin(r, status, type);
	if (status != 204 && status != 304)
		buf_printf(b, "Content-Length: %zu\r\n", n);
	buf_put(b, "\r\n", 2);
	write_status(r, status);
	r->res->broken |= !conn_write(r->conn, b->p, b->n);
	if (n > 0 && status != 204 && status != 304 && r->method != M_HEAD)
		r->res->broken |= !conn_write(r->conn, body, n);
	return E_OK;
}

/* A weak validator would do, but a keyed short hash of the body is cheap and exact enough to be strong. */
static const char *
etag(struct req *r, const char *body, size_t n)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "souk etag key 1";
	unsigned char h[crypto_shorthash_BYTES];
	char hex[2 * sizeof h + 1];

	crypto_shorthash(h, (const unsigned char *)body, n, key);
	sodium_bin2hex(hex, sizeof hex, h, sizeof h);
	return arena_printf(r->c.a, "\"%s\"", hex);
}

enum err
res_json(struct req *r, const char *body, size_t n)
{
	const char *have = req_header(r, "If-None-Match"), *tag;

	if (r->method == M_GET || r->method == M_HEAD) {
		tag = etag(r, body, n);
		res_header(r, "ETag", tag);
		res_header(r, "Cache-Control", "private, no-cache");
		if (have && (strcmp(have, "*") == 0 || strstr(have, tag)))
			return res_send(r, 304, NULL, NULL, 0);
	}
	return res_send(r, 200, "application/json", body, n);
}

static void
error_headers(struct req *r, enum err e)
{
	const char *scope = r->route ? r->route->scope : NULL;
	char n[16];

	if (r->route && r->route->tool)
		scope = tool_find(r->route->tool)->scope;
	if (e == E_UNAUTHENTICATED || (e == E_FORBIDDEN && scope && strcmp(scope, "none") != 0))
		res_header(r, "WWW-Authenticate", oauth_challenge(r, e, req_header(r, "Authorization") != NULL, scope));
	if (e == E_RATE_LIMITED || e == E_UNAVAILABLE) {
		snprintf(n, sizeof n, "%d", r->c.retry_after_s > 0 ? r->c.retry_after_s : 2);
		res_header(r, "Retry-After", n);
	}
}

/* {"error","error_description"} with the nearest code of RFC 6749. */
static enum err
oauth_error(struct req *r, enum err e)
{
	bool later = e == E_RATE_LIMITED || e == E_UNAVAILABLE;
	struct buf b;

	buf_init(&b, r->c.a, 512, 65536);
	buf_printf(&b, "{\"error\":\"%s\",\"error_description\":", later ? "temporarily_unavailable" : e == E_INTERNAL ? "server_error" : "invalid_request");
	buf_json_cstr(&b, ctx_message(&r->c));
	buf_putc(&b, '}');
	return res_send(r, err_info(e)->http, "application/json", b.p, b.n);
}

enum err
res_error(struct req *r, enum err e)
{
	const struct err_info *info = err_info(e);
	const char *message = ctx_message(&r->c);
	char when[RFC3339_LEN];
	struct buf b;

	if (res_done(r))
		return E_OK;
	error_headers(r, e);
	if (r->route != NULL && (r->route->flags & ROUTE_OAUTH) && e != E_NOT_FOUND)
		return oauth_error(r, e);
	buf_init(&b, r->c.a, 512, 65536);
	buf_puts(&b, "{\"error\":{\"code\":");
	buf_json_cstr(&b, info->code);
	buf_puts(&b, ",\"message\":");
	buf_json_cstr(&b, message);
	buf_puts(&b, ",\"timestamp\":");
	buf_json_cstr(&b, rfc3339(wall_ms(), when));
	buf_puts(&b, ",\"request_id\":");
	buf_json_cstr(&b, r->c.id);
	buf_puts(&b, "}}");
	return res_send(r, info->http, "application/json", b.p, b.n);
}

bool
res_stream_begin(struct req *r)
{
	if (res_done(r))
		return r->res->streaming;
	res_header(r, "Cache-Control", "no-cache");
	res_header(r, "X-Accel-Buffering", "no");
	begin(r, 200, "text/event-stream");
	buf_put(&r->res->headers, "\r\n", 2);
	r->res->streaming = true;
	write_status(r, 200);
	r->res->broken |= !conn_write(r->conn, r->res->headers.p, r->res->headers.n) || !conn_flush(r->conn);
	return !r->res->broken;
}

bool
res_stream_event(struct req *r, const char *json, size_t n)
{
	static const char head[] = "event: message\ndata: ";

	if (!r->res->broken)
		r->res->broken = !conn_write(r->conn, head, sizeof head - 1) || !conn_write(r->conn, json, n) ||
		    !conn_write(r->conn, "\n\n", 2) || !conn_flush(r->conn);
	return !r->res->broken;
}

bool
res_stream_lines(struct req *r, const char *text, size_t n)
{
	if (!r->res->broken)
		r->res->broken = !conn_write(r->conn, text, n) || !conn_flush(r->conn);
	return !r->res->broken;
}

bool
res_stream_comment(struct req *r)
{
	return res_stream_lines(r, ":\n\n", 3);
}

bool
res_stream_gone(struct req *r)
{
	if (!r->res->broken)
		r->res->broken = conn_gone(r->conn);
	return r->res->broken;
}
