/*
 * Model Context Protocol over Streamable HTTP.
 *
 * POST /mcp            all tools that the caller may use
 * POST /mcp/{server}   those of one server: catalog, orders, support, analytics, storefront, admin, intent, notifications
 *
 * GET and DELETE, which belong to sessions, are answered 405.
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

#define FLAGS (ROUTE_RAW_BODY | ROUTE_OWN_RATE | ROUTE_ANY_AUTH)

#define RPC_DOC \
	"\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\",\"description\":" \
	"\"One JSON-RPC 2.0 message\",\"required\":[\"jsonrpc\"],\"properties\":{\"jsonrpc\":{\"type\":\"string\",\"enum\":[\"2.0\"]}," \
	"\"id\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]},\"method\":{\"type\":\"string\"},\"params\":{\"type\":\"object\"}}}}}}," \
	"\"responses\":{\"200\":{\"description\":\"The JSON-RPC response\",\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}," \
	"\"202\":{\"description\":\"A notification was accepted\"}}"

const struct route routes[] = {
	{ M_POST, "/mcp", "none", "mcp", all_tools, .summary = "Model Context Protocol, all tools", .doc = RPC_DOC, .flags = FLAGS },
	{ M_POST, "/mcp/{server}", "none", "mcp", one_server, .summary = "Model Context Protocol, the tools of one server",
	    .doc = RPC_DOC, .flags = FLAGS },
	{ 0 }
};
