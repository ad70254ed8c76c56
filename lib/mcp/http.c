#include "mcp/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/oauth.h"
#include "auth/subject.h"
#include "core/banned.h"
#include "mcp/headers.h"
#include "mcp/mcp.h"
#include "mcp/rpc.h"
#include "store/shm.h"
#include "web/conn.h"
#include "web/cors.h"

static const char json_media[] = "application/json";

static enum err
refuse(struct req *r, int status, int code, const char *message)
{
	size_t n;
	const char *body = mcp_plain_error(&r->c, code, message, &n);

	return res_send(r, status, json_media, body, n);
}

static void
retry_after(struct req *r, int seconds)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", seconds > 0 ? seconds : 2);
	res_header(r, "Retry-After", text);
}

static bool
is_json(const char *type)
{
	size_t n = sizeof(json_media) - 1;

	return type != NULL && strncasecmp(type, json_media, n) == 0 && strchr("; \t", type[n]) != NULL;
}

/* A token that was presented and is not good is refused before anything else, also where none is needed. */
static enum err
refuse_token(struct req *r)
{
	if (r->auth == E_UNAVAILABLE) {
		retry_after(r, r->c.retry_after_s);
		return refuse(r, 503, RPC_UNAVAILABLE, err_info(r->auth)->message);
	}
	if (r->auth == E_RATE_LIMITED) {
		retry_after(r, r->c.retry_after_s);
		return refuse(r, 429, RPC_RATE_LIMITED, err_info(r->auth)->message);
	}
	res_header(r, "WWW-Authenticate", oauth_challenge(r, E_UNAUTHENTICATED, true, NULL));
	return refuse(r, 401, RPC_API_ERROR, err_info(E_UNAUTHENTICATED)->message);
}

/* Clients that accept an event stream and no JSON get their reply as a stream of one event. */
static bool
wants_stream(const char *accept)
{
	return accept != NULL && strcasestr(accept, "text/event-stream") != NULL && strcasestr(accept, json_media) == NULL &&
	    strstr(accept, "*/*") == NULL && strcasestr(accept, "application/*") == NULL;
}

/* ---- the way back ----------------------------------------------------------------- */

struct http_stream {
	struct mcp_stream stream;	/* first member */
	struct req *r;
	const struct mcp_io *io;
	uint64_t tokens;		/* generation for which the caller's token was found good */
};

static bool
begin(struct http_stream *h)
{
	if (res_done(h->r))
		return true;
	h->stream.open = true;
	h->r->rate = h->io->rate;
	h->r->rated = h->io->rated;
	return res_stream_begin(h->r);
}

static bool
stream_send(struct mcp_stream *s, const char *json, size_t n)
{
	struct http_stream *h = (struct http_stream *)s;

	return begin(h) && res_stream_event(h->r, json, n);
}

/* A token that was revoked ends the streams that were opened with it. */
static bool
still_trusted(struct http_stream *h)
{
	uint64_t now = shm_generation(SHM_TOKENS);
	const char *auth = req_header(h->r, "Authorization");
	struct subject who;
	enum err e = E_OK;

	if (now == h->tokens)
		return true;
	h->tokens = now;
	if (auth != NULL && strlen(auth) > 7)
		e = subject_resolve(&h->r->c, &(struct bearer){ .text = auth + 7 + strspn(auth + 7, " "), .remote_ip = h->r->remote_ip,
			.base_url = req_base_url(h->r), .path = h->r->path }, &who);
	ctx_clear_error(&h->r->c);
	return e != E_UNAUTHENTICATED;
}

static bool
stream_there(struct mcp_stream *s, bool beat)
{
	struct http_stream *h = (struct http_stream *)s;

	/* a look alone opens nothing: there may never be anything to stream */
	if (beat && !(begin(h) && res_stream_comment(h->r)))
		return false;
	return !res_stream_gone(h->r);
}

static bool
stream_alive(struct mcp_stream *s, bool beat)
{
	return stream_there(s, beat) && !conn_stopping() && still_trusted((struct http_stream *)s);
}

static bool
stream_pause(struct mcp_stream *s, const char *id, int retry_ms)
{
	struct http_stream *h = (struct http_stream *)s;
	char text[128];
	int n = snprintf(text, sizeof(text), "id: %s\ndata: \n\nretry: %d\n\n", id, retry_ms);

	return begin(h) && res_stream_lines(h->r, text, (size_t)n);
}

static struct http_stream
stream_of(struct req *r, const struct mcp_io *io)
{
	return (struct http_stream){
		.stream = { .send = stream_send, .alive = stream_alive, .there = stream_there, .pause = stream_pause }, .r = r, .io = io,
		.tokens = shm_generation(SHM_TOKENS),
	};
}

static bool
takes_streams(const struct req *r)
{
	const char *accept = req_header(r, "Accept");

	return accept != NULL && strcasestr(accept, "text/event-stream") != NULL;
}

/* ---- requests ---------------------------------------------------------------------- */

static enum err
send_reply(struct req *r, const struct mcp_io *io)
{
	if (res_done(r)) {
		if (io->reply != NULL)
			(void)res_stream_event(r, io->reply, io->n);
		return E_OK;
	}
	r->rate = io->rate;
	r->rated = io->rated;
	if (io->challenge != NULL)
		res_header(r, "WWW-Authenticate", io->challenge);
	if (io->retry_after_s > 0)
		retry_after(r, io->retry_after_s);
	if (io->replayed)
		res_header(r, "Idempotency-Replayed", "true");
	if (io->new_session != NULL)
		res_header(r, "Mcp-Session-Id", io->new_session);
	if (io->reply == NULL)
		return res_send(r, io->status, NULL, "", 0);
	if (io->status != 200 || !wants_stream(req_header(r, "Accept")))
		return res_send(r, io->status, json_media, io->reply, io->n);
	if (res_stream_begin(r))
		(void)res_stream_event(r, io->reply, io->n);
	return E_OK;
}

static const char *
any_header(void *arg, const char *name)
{
	return req_header(arg, name);
}

static struct mcp_headers
headers_of(struct req *r)
{
	return (struct mcp_headers){
		.version = header_trim(&r->c, req_header(r, "MCP-Protocol-Version")),
		.method = header_trim(&r->c, req_header(r, "Mcp-Method")),
		.name = header_trim(&r->c, req_header(r, "Mcp-Name")),
		.session = header_trim(&r->c, req_header(r, "Mcp-Session-Id")),
		.get = any_header,
		.arg = r,
	};
}

static struct mcp_io
io_of(struct req *r, const char *server, const struct mcp_headers *headers)
{
	return (struct mcp_io){
		.who = &r->who,
		.server = server,
		.via = VIA_MCP,
		.base_url = req_base_url(r),
		.headers = headers,
		.locale = r->locale,
		.idempotency_key = req_header(r, "Idempotency-Key"),
		.remote_ip = r->remote_ip,
		.metadata = oauth_metadata_url(r),
	};
}

/* Is the request for us, and from where it may come?  Otherwise it is refused with *e. */
static bool
admitted(struct req *r, const char *server, enum err *e)
{
	const char *origin = req_header(r, "Origin");

	if (!mcp_server_known(server))
		*e = fail(&r->c, E_NOT_FOUND, "there is no MCP server %.60s", server);
	else if (!cors_host_allowed(r))
		*e = refuse(r, 403, RPC_REQUEST_INVALID, "Host: not one of this service; see ALLOWED_HOSTS and PUBLIC_URL");
	else if (origin != NULL && !cors_origin_allowed(r, origin))
		*e = refuse(r, 403, RPC_REQUEST_INVALID, "Origin: not allowed; see CORS_ORIGINS");
	else
		return true;
	return false;
}

enum err
mcp_http(struct req *r, const char *server)
{
	const struct mcp_headers headers = headers_of(r);
	struct mcp_io io = io_of(r, server, &headers);
	struct http_stream stream = stream_of(r, &io);
	enum err e;

	if (!admitted(r, server, &e))
		return e;
	if (!is_json(req_cgi(r, "CONTENT_TYPE")))
		return refuse(r, 415, RPC_REQUEST_INVALID, "Content-Type: must be application/json");
	if (r->auth != E_OK)
		return refuse_token(r);
	if (takes_streams(r))
		io.stream = &stream.stream;
	e = mcp_message(&r->c, &io, r->body, r->bodysz);
	return e == E_OK ? send_reply(r, &io) : e;
}

/* GET and DELETE are for sessions; a server that has none to offer says so with 405. */
static enum err
no_session_here(struct req *r)
{
	res_header(r, "Allow", "POST");
	return fail(&r->c, E_METHOD, "method not allowed here without a session; allowed: POST");
}

static enum err
session_error(struct req *r, enum err e)
{
	if (e == E_NOT_FOUND)
		return refuse(r, 404, RPC_REQUEST_INVALID, "Session not found");
	return e;
}

static enum err
count(struct req *r)
{
	r->rated = true;
	return rate_hit(&r->c, &r->who, "mcp", &r->rate);
}

enum err
mcp_http_get(struct req *r, const char *server)
{
	const struct mcp_headers headers = headers_of(r);
	struct mcp_io io = io_of(r, server, &headers);
	struct http_stream stream = stream_of(r, &io);
	enum err e;

	if (!mcp_server_known(server) || headers.session == NULL || !takes_streams(r)) {
		if (r->auth != E_OK)
			return refuse_token(r);
		return no_session_here(r);
	}
	if (!admitted(r, server, &e))
		return e;
	if (r->auth != E_OK)
		return refuse_token(r);
	if (count(r) != E_OK)
		return r->c.err;
	io.rate = r->rate;
	io.rated = true;
	io.stream = &stream.stream;
	e = mcp_session_stream(&r->c, &io, header_trim(&r->c, req_header(r, "Last-Event-ID")));
	if (res_done(r))
		return E_OK;
	if (e == E_CONFLICT) {
		/* no process is free: clients take 405 for "no stream", and go on without */
		ctx_clear_error(&r->c);
		return no_session_here(r);
	}
	return session_error(r, e);
}

enum err
mcp_http_delete(struct req *r, const char *server)
{
	const struct mcp_headers headers = headers_of(r);
	struct mcp_io io = io_of(r, server, &headers);
	enum err e;

	if (!mcp_server_known(server) || headers.session == NULL) {
		if (r->auth != E_OK)
			return refuse_token(r);
		return no_session_here(r);
	}
	if (!admitted(r, server, &e))
		return e;
	if (r->auth != E_OK)
		return refuse_token(r);
	if (count(r) != E_OK)
		return r->c.err;
	e = mcp_session_close(&r->c, &io);
	return e == E_OK ? res_send(r, 200, NULL, "", 0) : session_error(r, e);
}
