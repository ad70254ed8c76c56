/*
 * One HTTP request and its response.  Everything lives in the request's arena.  Routing uses REQUEST_URI (raw target), cut at '?',
 * %-decoded strictly, with the configured BASE_PATH removed.
 */
#ifndef SOUK_WEB_REQ_H
#define SOUK_WEB_REQ_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/rate.h"
#include "auth/token.h"
#include "core/buf.h"
#include "core/ctx.h"
#include "web/route.h"

struct pair {
	const char *name, *value;	/* decoded, valid UTF-8, no NUL */
	size_t valuesz;
};

struct req {
	struct ctx c;			/* first member: (struct ctx *)r works */
	enum method method;
	const char *path;		/* decoded, without query and BASE_PATH */
	const char *query;		/* raw query, "" when none */
	struct pair *params;		/* query parameters in order */
	size_t nparams;
	const char *body;		/* NUL added behind it */
	size_t bodysz;
	json_object *json;		/* parsed body, or NULL */
	const char *remote_ip;		/* client address; X-Forwarded-For only from TRUSTED_PROXIES */
	bool https;
	struct subject who;
	enum err auth;			/* E_OK, or why the presented token was refused (ROUTE_ANY_AUTH) */
	struct rate_state rate;
	bool rated;			/* rate is filled */
	const struct route *route;
	const char *locale;		/* negotiated from Accept-Language among the shop's, else the shop's default */
	int64_t started_us;
	struct res *res;
	void *conn;			/* FCGX_Request or NULL in plain CGI */
};

/* A request header by its HTTP name ("Idempotency-Key"), any case; NULL when absent. */
const char *req_header(const struct req *r, const char *name);
/* A CGI variable ("SERVER_NAME"); NULL when absent. */
const char *req_cgi(const struct req *r, const char *name);
/* A query parameter; NULL when absent.  Repeated names are refused before the handler. */
const char *req_param(const struct req *r, const char *name);
/* The path's variable segment ({name}), decoded; NULL when the route has none of that name. */
const char *req_var(const struct req *r, const char *name);
/* "https://shop.example": PUBLIC_URL when configured, else from Host (checked) and scheme; without trailing slash. */
const char *req_base_url(struct req *r);

/* Response.  Headers are set before the body is sent; a handler that returned E_OK without a response is a bug (500). */
void res_header(struct req *r, const char *name, const char *value);
/* Send a complete response.  type NULL: none.  HEAD sends headers only. */
enum err res_send(struct req *r, int status, const char *type, const char *body, size_t n);
/* status 200 application/json; adds ETag and answers 304 for GET with a matching If-None-Match. */
enum err res_json(struct req *r, const char *body, size_t n);
/* The REST error form {"error":{code,message,timestamp,request_id}} for e and c's message, with WWW-Authenticate, Retry-After, Allow as due. */
enum err res_error(struct req *r, enum err e);
/* Has a response been sent (or begun)? */
bool res_done(const struct req *r);
/* Event stream: headers at once; then one message event per call ("event: message\ndata: <one line>\n\n"); false: the client has left. */
bool res_stream_begin(struct req *r);
bool res_stream_event(struct req *r, const char *json, size_t n);
bool res_stream_comment(struct req *r);
/* Lines of the stream as they are, with the blank line at their end: an id, a retry. */
bool res_stream_lines(struct req *r, const char *text, size_t n);
bool res_stream_gone(struct req *r);	/* without writing, where the server tells */

#endif
