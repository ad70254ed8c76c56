#include "mcp/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "mcp/headers.h"
#include "mcp/mcp.h"
#include "mcp/rpc.h"
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
	res_header(r, "WWW-Authenticate", "Bearer realm=\"souk\", error=\"invalid_token\"");
	return refuse(r, 401, RPC_API_ERROR, err_info(E_UNAUTHENTICATED)->message);
}

/* Clients that accept an event stream and no JSON get their reply as a stream of one event. */
static bool
wants_stream(const char *accept)
{
	return accept != NULL && strcasestr(accept, "text/event-stream") != NULL && strcasestr(accept, json_media) == NULL &&
	    strstr(accept, "*/*") == NULL && strcasestr(accept, "application/*") == NULL;
}

static enum err
send_reply(struct req *r, const struct mcp_io *io)
{
	r->rate = io->rate;
	r->rated = io->rated;
	if (io->challenge != NULL)
		res_header(r, "WWW-Authenticate", io->challenge);
	if (io->retry_after_s > 0)
		retry_after(r, io->retry_after_s);
	if (io->replayed)
		res_header(r, "Idempotency-Replayed", "true");
	if (io->reply == NULL)
		return res_send(r, io->status, NULL, "", 0);
	if (io->status != 200 || !wants_stream(req_header(r, "Accept")))
		return res_send(r, io->status, json_media, io->reply, io->n);
	if (res_stream_begin(r))
		(void)res_stream_event(r, io->reply, io->n);
	return E_OK;
}

enum err
mcp_http(struct req *r, const char *server)
{
	const struct mcp_headers headers = {
		.version = header_trim(&r->c, req_header(r, "MCP-Protocol-Version")),
		.method = header_trim(&r->c, req_header(r, "Mcp-Method")),
		.name = header_trim(&r->c, req_header(r, "Mcp-Name")),
	};
	const char *origin = req_header(r, "Origin");
	struct mcp_io io = {
		.who = &r->who,
		.server = server,
		.via = VIA_MCP,
		.headers = &headers,
		.locale = r->locale,
		.idempotency_key = req_header(r, "Idempotency-Key"),
		.remote_ip = r->remote_ip,
	};
	enum err e;

	if (!mcp_server_known(server))
		return fail(&r->c, E_NOT_FOUND, "there is no MCP server %.60s", server);
	if (!cors_host_allowed(r))
		return refuse(r, 403, RPC_REQUEST_INVALID, "Host: not one of this service; see ALLOWED_HOSTS and PUBLIC_URL");
	if (origin != NULL && !cors_origin_allowed(r, origin))
		return refuse(r, 403, RPC_REQUEST_INVALID, "Origin: not allowed; see CORS_ORIGINS");
	if (!is_json(req_cgi(r, "CONTENT_TYPE")))
		return refuse(r, 415, RPC_REQUEST_INVALID, "Content-Type: must be application/json");
	if (r->auth != E_OK)
		return refuse_token(r);
	e = mcp_message(&r->c, &io, r->body, r->bodysz);
	return e == E_OK ? send_reply(r, &io) : e;
}
