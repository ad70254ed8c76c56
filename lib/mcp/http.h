/*
 * Streamable HTTP, the server's side: one POST, one reply, as JSON or, when there is more to tell than the reply, as an event stream.  GET is the stream of a
 * legacy session, DELETE its end; without a session both are answered 405.
 */
#ifndef SOUK_MCP_HTTP_H
#define SOUK_MCP_HTTP_H

#include "web/req.h"

/*
 * Answer the request's body at the endpoint of that server ("" for all tools).  The route has ROUTE_RAW_BODY, ROUTE_OWN_RATE and ROUTE_ANY_AUTH.
 * Refusals before the protocol are JSON-RPC errors without an id: 403 (Origin or Host is none of ours), 415 (no JSON), 401 or 503 (the token).
 * E_NOT_FOUND for an unknown server, with nothing sent.
 */
enum err mcp_http(struct req *r, const char *server) __attribute__((warn_unused_result));

enum err mcp_http_get(struct req *r, const char *server) __attribute__((warn_unused_result));
enum err mcp_http_delete(struct req *r, const char *server) __attribute__((warn_unused_result));

#endif
