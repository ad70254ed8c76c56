/*
 * Model Context Protocol over Streamable HTTP.
 *
 * POST /mcp            all tools that the caller may use
 * POST /mcp/{server}   those of one server: catalog, orders, support, analytics, storefront, admin, intent, notifications
 *
 * GET                  the event stream of a legacy session, DELETE its end; without a session both are answered 405
 */
#include "mcp/http.h"
#include "web/req.h"

static enum err
all_tools(struct req *r)
{
	return mcp_http(r, "");
}

static enum err
one_server(struct req *r)
{
	return mcp_http(r, req_var(r, "server"));
}

static enum err
all_stream(struct req *r)
{
	return mcp_http_get(r, "");
}

static enum err
one_stream(struct req *r)
{
	return mcp_http_get(r, req_var(r, "server"));
}

static enum err
all_end(struct req *r)
{
	return mcp_http_delete(r, "");
}

static enum err
one_end(struct req *r)
{
	return mcp_http_delete(r, req_var(r, "server"));
}

#define FLAGS (ROUTE_RAW_BODY | ROUTE_OWN_RATE | ROUTE_ANY_AUTH)

#define RPC_DOC \
	"\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\",\"description\":" \
	"\"One JSON-RPC 2.0 message\",\"required\":[\"jsonrpc\"],\"properties\":{\"jsonrpc\":{\"type\":\"string\",\"enum\":[\"2.0\"]}," \
	"\"id\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]},\"method\":{\"type\":\"string\"},\"params\":{\"type\":\"object\"}}}}}}," \
	"\"responses\":{\"200\":{\"description\":\"The JSON-RPC response\",\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}," \
	"\"202\":{\"description\":\"A notification was accepted\"}}"

#define STREAM_DOC "\"responses\":{\"200\":{\"description\":\"Events of the session named by Mcp-Session-Id\"," \
	"\"content\":{\"text/event-stream\":{\"schema\":{\"type\":\"string\"}}}},\"405\":{\"description\":\"There is no session\"}}"
#define END_DOC "\"responses\":{\"200\":{\"description\":\"The session named by Mcp-Session-Id has ended\"}," \
	"\"405\":{\"description\":\"There is no session\"}}"

const struct route routes[] = {
	{ M_POST, "/mcp", "none", "mcp", all_tools, .summary = "Model Context Protocol, all tools", .doc = RPC_DOC, .flags = FLAGS },
	{ M_POST, "/mcp/{server}", "none", "mcp", one_server, .summary = "Model Context Protocol, the tools of one server",
	    .doc = RPC_DOC, .flags = FLAGS },
	{ M_GET, "/mcp", "none", "mcp", all_stream, .summary = "Event stream of a legacy session", .doc = STREAM_DOC, .flags = FLAGS },
	{ M_GET, "/mcp/{server}", "none", "mcp", one_stream, .summary = "Event stream of a legacy session of one server",
	    .doc = STREAM_DOC, .flags = FLAGS },
	{ M_DELETE, "/mcp", "none", "mcp", all_end, .summary = "End a legacy session", .doc = END_DOC, .flags = FLAGS },
	{ M_DELETE, "/mcp/{server}", "none", "mcp", one_end, .summary = "End a legacy session of one server", .doc = END_DOC, .flags = FLAGS },
	{ 0 }
};
