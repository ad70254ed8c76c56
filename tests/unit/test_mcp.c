/* The protocol core: envelope, era, headers, methods, batches.  No database: what would run a tool's statement is left to the HTTP tests. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/json.h"
#include "mcp/era.h"
#include "mcp/headers.h"
#include "mcp/ask.h"
#include "mcp/mcp.h"
#include "mcp/resources.h"
#include "mcp/state.h"
#include "store/shm.h"
#include "tool/registry.h"

static struct arena arena;
static struct ctx c;
static char state_dir[] = "/tmp/souk-unit-XXXXXX";

static void
setup(void)
{
	arena_init(&arena, 64u << 20);
	c = (struct ctx){ .a = &arena, .deadline_ms = INT64_MAX, .id = "unit-test" };
}

static void
teardown(void)
{
	arena_release(&arena);
}

static json_object *
parse(const char *text)
{
	json_object *o = NULL;

	ck_assert_msg(json_parse(&c, text, strlen(text), &o) == E_OK, "%s: %s", text, ctx_message(&c));
	return o;
}

/* ---- era ---------------------------------------------------------------------- */

#define META(version) "\"_meta\":{\"" META_VERSION "\":" version ",\"" META_CLIENT_CAPABILITIES "\":{}}"
#define REQ(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{" params "}}"
#define NOTE(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":{" params "}}"
#define M26 "\"2026-07-28\""

static const struct {
	const char *message, *header;
	int code;		/* 0: accepted, in this era: */
	enum mcp_era era;
} eras[] = {
	/* rule 4: posted responses */
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NULL, 0, ERA_LEGACY },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", "2025-11-25", 0, ERA_LEGACY },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "2026-07-28", -32600, 0 },
	/* rule 6: initialize without a valid modern claim */
	{ REQ("initialize", ""), NULL, 0, ERA_LEGACY },
	{ REQ("initialize", "\"protocolVersion\":" M26), NULL, 0, ERA_LEGACY },
	{ REQ("initialize", ""), "2025-06-18", 0, ERA_LEGACY },
	{ REQ("initialize", ""), "v999.0.0", 0, ERA_LEGACY },
	{ REQ("initialize", ""), "2026-07-28", -32020, 0 },
	{ REQ("initialize", META("\"2025-11-25\"")), NULL, 0, ERA_LEGACY },
	{ REQ("initialize", META(M26)), "2026-07-28", 0, ERA_MODERN },
	/* rule 7: a claim */
	{ REQ("tools/list", META(M26)), "2026-07-28", 0, ERA_MODERN },
	{ REQ("tools/list", META(M26)), NULL, 0, ERA_MODERN },
	{ REQ("tools/list", META("5")), "2026-07-28", -32602, 0 },
	{ REQ("tools/list", "\"_meta\":{\"" META_VERSION "\":" M26 "}"), "2026-07-28", -32602, 0 },
	{ REQ("tools/list", "\"_meta\":{\"" META_VERSION "\":" M26 ",\"" META_CLIENT_CAPABILITIES "\":[]}"), "2026-07-28", -32602, 0 },
	{ REQ("tools/list", META(M26)), "2025-11-25", -32020, 0 },
	{ REQ("tools/list", META("\"v999.0.0\"")), "2026-07-28", -32020, 0 },
	{ REQ("tools/list", META("\"v999.0.0\"")), "v999.0.0", -32022, 0 },
	{ REQ("tools/list", META("\"2025-11-25\"")), "2025-11-25", -32022, 0 },
	{ NOTE("notifications/cancelled", META(M26)), "2026-07-28", 0, ERA_MODERN },
	/* rule 8: no claim, modern header */
	{ REQ("tools/list", ""), "2026-07-28", -32602, 0 },
	{ NOTE("notifications/cancelled", ""), "2026-07-28", 0, ERA_MODERN },
	/* rule 9: everything else */
	{ REQ("tools/list", ""), NULL, 0, ERA_LEGACY },
	{ REQ("tools/list", ""), "2024-11-05", 0, ERA_LEGACY },
	{ REQ("tools/list", "\"_meta\":{\"progressToken\":1}"), "2025-03-26", 0, ERA_LEGACY },
	{ REQ("tools/list", ""), "1999-01-01", -32600, 0 },
	{ NOTE("notifications/initialized", ""), "2025-11-25", 0, ERA_LEGACY },
};

START_TEST(era)
{
	struct mcp_headers h = { .version = eras[_i].header };
	struct rpc_error e = { 0 };
	enum mcp_era got;
	struct rpc m;
	bool ok;

	ck_assert(rpc_read(parse(eras[_i].message), &m, &e));
	ok = era_detect(&c, &m, &h, &got, &e);
	ck_assert_msg(ok == (eras[_i].code == 0), "%s: %d", eras[_i].message, e.code);
	if (ok) {
		ck_assert_int_eq(got, eras[_i].era);
		return;
	}
	ck_assert_int_eq(e.code, eras[_i].code);
	ck_assert_int_eq(e.http, 400);
	if (e.code == -32022)
		ck_assert_ptr_nonnull(strstr(e.data, "\"supported\":[\"2026-07-28\"],\"requested\":\""));
}
END_TEST

/* ---- header values --------------------------------------------------------------- */

static const struct {
	const char *value, *text;	/* text NULL: refused */
} encoded[] = {
	{ "plain", "plain" },
	{ "=?base64?SGVsbG8=?=", "Hello" },
	{ "=?base64?w6l0w6k=?=", "\xc3\xa9t\xc3\xa9" },
	{ "=?base64?" "?=", "" },
	{ "=?base64?SGVsbG8?=", NULL },		/* padding is missing */
	{ "=?base64?SGVs!!!bG8=?=", NULL },
	{ "=?base64?SGVs bG8=?=", NULL },
	{ "=?base64?SGVsbG9=?=", NULL },	/* bits left over */
	{ "=?base64?gA==?=", NULL },		/* no UTF-8 */
	{ "=?base64?AA==?=", NULL },		/* NUL */
	{ "=?base64?SGVsbG8=", "=?base64?SGVsbG8=" },
	{ "SGVsbG8=?=", "SGVsbG8=?=" },
	{ "=?BASE64?SGVsbG8=?=", "=?BASE64?SGVsbG8=?=" },
	{ "=?base64?=", "=?base64?=" },
	{ "", "" },
};

START_TEST(header_values)
{
	const char *got;

	ck_assert_int_eq(header_decode(&c, encoded[_i].value, &got), encoded[_i].text != NULL);
	if (encoded[_i].text != NULL)
		ck_assert_str_eq(got, encoded[_i].text);
}
END_TEST

START_TEST(header_blanks)
{
	ck_assert_str_eq(header_trim(&c, " \t x y\t "), "x y");
	ck_assert_str_eq(header_trim(&c, "  "), "");
	ck_assert_ptr_null(header_trim(&c, NULL));
}
END_TEST

/* ---- messages ---------------------------------------------------------------------- */

#define TOOL(n, scope) \
	"{\"name\":\"" n "\",\"title\":\"T\",\"description\":\"D\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"," \
	"\"maximum\":5}},\"additionalProperties\":false},\"outputSchema\":{\"type\":\"object\"},\"annotations\":{\"readOnlyHint\":true," \
	"\"destructiveHint\":false,\"idempotentHint\":true,\"openWorldHint\":false},\"x-scope\":\"" scope "\",\"x-rate\":\"data\",\"x-servers\":[\"catalog\"]}"

static const struct tool_file files[] = {
	{ "catalog/open_tool", TOOL("open_tool", "none"), { "catalog/open_tool", "SELECT 1" } },
	{ "catalog/closed_tool", TOOL("closed_tool", "orders:read"), { "catalog/closed_tool", "SELECT 1" } },
	{ "orders/danger", "{\"name\":\"danger\",\"title\":\"T\",\"description\":\"D\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"
	    "\"number\":{\"type\":\"string\"},\"confirm\":{\"type\":\"string\"}},\"required\":[\"number\"],\"additionalProperties\":false},"
	    "\"outputSchema\":{\"type\":\"object\"},\"annotations\":{\"readOnlyHint\":false,\"destructiveHint\":true,\"idempotentHint\":false,"
	    "\"openWorldHint\":false},\"x-scope\":\"none\",\"x-rate\":\"data\",\"x-servers\":[\"orders\"],\"x-confirm\":\"Cancel {number}?\"}",
	    { "orders/danger", "SELECT 1" } },
	{ 0 },
};

static const struct {
	const char *message;
	const char *version, *method, *name;	/* headers */
	int status;
	const char *reply;	/* what it begins with; NULL: none */
} messages[] = {
	/* no JSON, no request */
	{ "", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700," },
	{ "{", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700," },
	{ "{\"a\":1,\"a\":2}", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "5", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "{}", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "{\"jsonrpc\":\"1.0\",\"id\":\"x\",\"method\":\"ping\"}", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32600," },
	{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600," },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602," },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":5}", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600," },
	/* legacy */
	{ REQ("ping", ""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"method\":\"ping\"}", NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"result\":{}}" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"method\":\"ping\"}", NULL, NULL, NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"result\":{}}" },
	{ REQ("initialize", "\"protocolVersion\":\"2025-03-26\""), NULL, NULL, NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-03-26\",\"capabilities\":{\"tools\":{},\"resources\":{},\"prompts\":{},\"completions\":{},\"logging\":{}},\"serverInfo\":{\"name\":\"souk-catalog\"," },
	{ REQ("initialize", "\"protocolVersion\":\"2026-07-28\""), NULL, NULL, NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-11-25\"," },
	{ REQ("initialize", "\"protocolVersion\":\"2024-10-07\""), NULL, NULL, NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-11-25\"," },
	{ NOTE("notifications/initialized", ""), "2025-06-18", NULL, NULL, 202, NULL },
	{ NOTE("whatever", ""), NULL, NULL, NULL, 202, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}", NULL, NULL, NULL, 202, NULL },
#define OK(members) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{" members
#define ERR(code) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":" code ","
	/* a resource is the result of a tool, and these tools are not in the table of this test */
	{ REQ("resources/list", ""), NULL, NULL, NULL, 200, OK("\"resources\":[]}}") },
	{ REQ("resources/templates/list", ""), NULL, NULL, NULL, 200, OK("\"resourceTemplates\":[]}}") },
	{ REQ("resources/read", "\"uri\":\"souk://nothing\""), NULL, NULL, NULL, 200,
	    ERR("-32002") "\"message\":\"Resource not found\",\"data\":{\"uri\":\"souk://nothing\"}}}" },
	{ REQ("resources/read", ""), NULL, NULL, NULL, 200, ERR("-32602") },
	{ REQ("resources/subscribe", "\"uri\":\"souk://products/catalog\""), NULL, NULL, NULL, 200, ERR("-32601") },
	{ REQ("prompts/list", ""), "2025-11-25", NULL, NULL, 200,
	    OK("\"prompts\":[{\"name\":\"product_recommendation_response\",\"title\":") },
	{ REQ("prompts/list", "\"cursor\":\"cHJvbXB0czo5OTk\""), NULL, NULL, NULL, 200, ERR("-32602") },
	{ REQ("prompts/get", "\"name\":\"product_recommendation_response\",\"arguments\":{\"products\":\"a {context}\",\"context\":\"b\",\"language\":\"de\"}"),
	    NULL, NULL, NULL, 200, OK("\"description\":\"Generate a product recommendation message\",\"messages\":[{\"role\":\"user\",\"content\":"
	    "{\"type\":\"text\",\"text\":\"Sie antworten Kunden von Souk.") },
	{ REQ("prompts/get", "\"name\":\"product_recommendation_response\",\"arguments\":{\"products\":\"a\"}"), NULL, NULL, NULL, 200,
	    ERR("-32602") "\"message\":\"context: is required\"}}" },
	{ REQ("prompts/get", "\"name\":\"product_recommendation_response\",\"arguments\":{\"products\":\"a\",\"context\":\"b\",\"language\":\"xx\"}"),
	    NULL, NULL, NULL, 200, ERR("-32602") "\"message\":\"language: must be one of en, fr, es, de\"}}" },
	{ REQ("prompts/get", "\"name\":\"product_recommendation_response\",\"arguments\":{\"nonsense\":\"a\"}"), NULL, NULL, NULL, 200,
	    ERR("-32602") "\"message\":\"unknown argument: nonsense\"}}" },
	{ REQ("prompts/get", "\"name\":\"greeting\",\"arguments\":{\"language\":\"en\"}"), NULL, NULL, NULL, 200,
	    ERR("-32602") "\"message\":\"unknown prompt: greeting\"}}" },	/* of another server */
	{ REQ("completion/complete", "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"product_recommendation_response\"},"
	    "\"argument\":{\"name\":\"language\",\"value\":\"E\"}"), NULL, NULL, NULL, 200,
	    OK("\"completion\":{\"values\":[\"en\",\"es\"],\"total\":2,\"hasMore\":false}}}") },
	{ REQ("completion/complete", "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"nothing\"},\"argument\":{\"name\":\"a\",\"value\":\"\"}"),
	    NULL, NULL, NULL, 200, ERR("-32602") },
	{ REQ("completion/complete", "\"ref\":{\"type\":\"ref/resource\",\"uri\":\"souk://nothing/{x}\"},"
	    "\"argument\":{\"name\":\"x\",\"value\":\"\"}"), NULL, NULL, NULL, 200, ERR("-32002") },
	{ REQ("completion/complete", "\"ref\":{\"type\":\"other\"},\"argument\":{\"name\":\"x\",\"value\":\"\"}"), NULL, NULL, NULL, 200, ERR("-32602") },
	{ REQ("completion/complete", ""), NULL, NULL, NULL, 200, ERR("-32602") },
	{ REQ("logging/setLevel", "\"level\":\"info\""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}" },
	{ REQ("logging/setLevel", "\"level\":\"loud\""), NULL, NULL, NULL, 200, ERR("-32602") },
	{ REQ("subscriptions/listen", ""), NULL, NULL, NULL, 200, ERR("-32601") },
	{ REQ("server/discover", ""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601," },
	{ REQ("tools/list", ""), "1999-01-01", NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600," },
	{ REQ("tools/list", ""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"open_tool\",\"title\":\"T\"," },
	{ REQ("tools/list", "\"cursor\":\"dG9vbHM6MQ\""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}" },
	{ REQ("tools/list", "\"cursor\":\"dG9vbHM6OTk\""), NULL, NULL, NULL, 200, ERR("-32602") },	/* beyond the end */
	{ REQ("tools/list", "\"cursor\":\"cHJvbXB0czox\""), NULL, NULL, NULL, 200, ERR("-32602") },	/* of another list */
	{ REQ("tools/list", "\"cursor\":\"nonsense\""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602," },
	{ REQ("tools/list", "\"cursor\":\"\""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602," },
	{ REQ("tools/list", "\"cursor\":5"), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602," },
	{ REQ("tools/call", "\"name\":\"none\""), NULL, NULL, NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"unknown tool: none\"}}" },
	{ REQ("tools/call", ""), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602," },
	{ REQ("tools/call", "\"name\":5"), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602," },
	{ REQ("tools/call", "\"name\":\"open_tool\",\"arguments\":[]"), NULL, NULL, NULL, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602," },
	{ REQ("tools/call", "\"name\":\"open_tool\",\"arguments\":{\"a\":6}"), NULL, NULL, NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"a: must be at most 5\"}],\"isError\":true}}" },
	{ REQ("tools/call", "\"name\":\"open_tool\",\"arguments\":{\"b\":6}"), NULL, NULL, NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"unknown argument: b\"}],\"isError\":true}}" },
	{ REQ("tools/call", "\"name\":\"closed_tool\""), NULL, NULL, NULL, 401, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002," },
	/* batches */
	{ "[]", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "[" REQ("ping", "") "]", NULL, NULL, NULL, 200, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]" },
	{ "[" NOTE("x", "") "," REQ("ping", "") "," NOTE("y", "") "," REQ("nope", "") "," NOTE("z", "") "]", "2025-03-26", NULL, NULL, 200,
	    "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"Method not found: nope\"}}]" },
	{ "[" NOTE("x", "") "," NOTE("y", "") "]", NULL, NULL, NULL, 202, NULL },
	{ "[" REQ("ping", "") "]", "2025-06-18", NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "[" REQ("ping", "") "]", "2026-07-28", NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "[" REQ("ping", "") "," REQ("tools/list", META(M26)) "]", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "[" REQ("ping", "") ",5]", NULL, NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," },
	{ "[" REQ("initialize", "") "]", NULL, NULL, NULL, 200, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600," },
	/* modern */
	{ REQ("server/discover", META(M26)), "2026-07-28", "server/discover", NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{\"listChanged\":true}," },
	{ REQ("tools/list", META(M26)), "2026-07-28", "tools/list", NULL, 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"tools\":[{\"name\":\"open_tool\"," },
	{ REQ("tools/list", META(M26)), NULL, "tools/list", NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32020," },
	{ REQ("tools/list", META(M26)), "2026-07-28", NULL, NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32020," },
	{ REQ("tools/list", META(M26)), "2026-07-28", "Tools/List", NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32020," },
	{ REQ("tools/call", "\"name\":\"none\"," META(M26)), "2026-07-28", "tools/call", NULL, 400, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32020," },
	{ REQ("tools/call", "\"name\":\"none\"," META(M26)), "2026-07-28", "tools/call", "other", 400,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32020," },
	{ REQ("tools/call", "\"name\":\"none\"," META(M26)), "2026-07-28", "tools/call", "=?base64?bm9uZQ==?=", 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"unknown tool: none\"}}" },
	{ REQ("tools/call", "\"name\":\"closed_tool\"," META(M26)), "2026-07-28", "tools/call", "closed_tool", 401,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32001," },
	{ REQ("tools/call", "\"name\":\"open_tool\",\"arguments\":{\"a\":\"x\"}," META(M26)), "2026-07-28", "tools/call", "open_tool", 200,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":\"a: must be an integer\"}],"
	    "\"isError\":true,\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"souk-catalog\"," },
	{ REQ("ping", META(M26)), "2026-07-28", "ping", NULL, 404, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601," },
	{ REQ("initialize", META(M26)), "2026-07-28", "initialize", NULL, 404, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601," },
	{ REQ("resources/read", "\"uri\":\"a:b\"," META(M26)), "2026-07-28", "resources/read", NULL, 400,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32020," },
	{ REQ("resources/read", "\"uri\":\"a:b\"," META(M26)), "2026-07-28", "resources/read", "a:b", 200,
	    ERR("-32602") "\"message\":\"Resource not found\",\"data\":{\"uri\":\"a:b\"}}}" },
	{ REQ("resources/list", META(M26)), "2026-07-28", "resources/list", NULL, 200,
	    OK("\"resultType\":\"complete\",\"resources\":[],\"ttlMs\":300000,\"cacheScope\":\"public\",") },
	{ REQ("resources/subscribe", "\"uri\":\"a:b\"," META(M26)), "2026-07-28", "resources/subscribe", NULL, 404, ERR("-32601") },
	{ REQ("logging/setLevel", "\"level\":\"info\"," META(M26)), "2026-07-28", "logging/setLevel", NULL, 404, ERR("-32601") },
	{ REQ("subscriptions/listen", META(M26)), "2026-07-28", "subscriptions/listen", NULL, 200, ERR("-32602") },
	/* an event stream is needed, and this transport has none */
	{ REQ("subscriptions/listen", "\"notifications\":{}," META(M26)), "2026-07-28", "subscriptions/listen", NULL, 200, ERR("-32602") },
	{ REQ("prompts/get", "\"name\":\"product_recommendation_response\",\"inputResponses\":null," META(M26)), "2026-07-28", "prompts/get",
	    "product_recommendation_response", 200, ERR("-32602") },
	{ REQ("prompts/get", "\"name\":\"product_recommendation_response\",\"requestState\":\"v1.AAAA\"," META(M26)), "2026-07-28", "prompts/get",
	    "product_recommendation_response", 200, ERR("-32602") },
	{ NOTE("notifications/cancelled", ""), "2026-07-28", "notifications/cancelled", NULL, 202, NULL },
	{ NOTE("notifications/cancelled", ""), "2026-07-28", "other", NULL, 400, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32020," },
};

static const struct subject anonymous = {
	.kind = "anonymous", .token_id = "", .name = "", .customer_id = "", .rate_class = "bulk", .principal = "ip:192.0.2.1",
};

START_TEST(message)
{
	struct mcp_headers h = { .version = messages[_i].version, .method = messages[_i].method, .name = messages[_i].name };
	struct mcp_io io = { .who = &anonymous, .server = "catalog", .via = VIA_MCP, .headers = &h };
	char err[256] = "";

	ck_assert_msg(registry_load(files, err, sizeof(err)), "%s", err);
	ck_assert_int_eq(mcp_message(&c, &io, messages[_i].message, strlen(messages[_i].message)), E_OK);
	ck_assert_msg(io.status == messages[_i].status, "%s: status %d, reply %s", messages[_i].message, io.status, io.reply);
	ck_assert(io.rated);
	ck_assert_int_eq(io.status == 401, io.challenge != NULL);
	if (messages[_i].reply == NULL) {
		ck_assert_ptr_null(io.reply);
		return;
	}
	ck_assert_msg(strncmp(io.reply, messages[_i].reply, strlen(messages[_i].reply)) == 0, "%s: %s", messages[_i].message, io.reply);
	ck_assert_uint_eq(io.n, strlen(io.reply));
	(void)parse(io.reply);	/* every reply is JSON */
}
END_TEST

/* Without headers (stdio, WebSocket) nothing is asked of them. */
START_TEST(without_headers)
{
	static const char text[] = REQ("tools/list", META(M26));
	struct mcp_io io = { .who = &anonymous, .server = "", .via = VIA_STDIO };
	char err[256] = "";

	ck_assert_msg(registry_load(files, err, sizeof(err)), "%s", err);
	ck_assert_int_eq(mcp_message(&c, &io, text, sizeof(text) - 1), E_OK);
	ck_assert_int_eq(io.status, 200);
	ck_assert_ptr_nonnull(strstr(io.reply, "\"ttlMs\":"));
	ck_assert_ptr_nonnull(strstr(io.reply, "\"cacheScope\":\"public\""));
	ck_assert_ptr_null(strstr(io.reply, "closed_tool"));
}
END_TEST

/* A scope opens a tool; a token without it is told which one is missing. */
START_TEST(scopes)
{
	struct subject who = { .kind = "staff", .token_id = "abc", .name = "", .customer_id = "", .rate_class = "bulk", .principal = "token:abc" };
	static const char list[] = REQ("tools/list", ""), call[] = REQ("tools/call", "\"name\":\"closed_tool\",\"arguments\":{\"a\":9}");
	struct mcp_io io = { .who = &who, .server = "", .via = VIA_MCP };
	char err[256] = "";

	ck_assert_msg(registry_load(files, err, sizeof(err)), "%s", err);
	ck_assert_int_eq(mcp_message(&c, &io, call, sizeof(call) - 1), E_OK);
	ck_assert_int_eq(io.status, 403);
	ck_assert_str_eq(io.challenge, "Bearer realm=\"souk\", error=\"insufficient_scope\", scope=\"orders:read\"");
	who.scopes[0] = "orders:*";
	ck_assert_int_eq(mcp_message(&c, &io, list, sizeof(list) - 1), E_OK);
	ck_assert_ptr_nonnull(strstr(io.reply, "closed_tool"));
	ck_assert_int_eq(mcp_message(&c, &io, call, sizeof(call) - 1), E_OK);
	ck_assert_int_eq(io.status, 200);
	ck_assert_ptr_nonnull(strstr(io.reply, "a: must be at most 5"));
}
END_TEST

/* ---- requestState ------------------------------------------------------------------ */

static const struct subject other_caller = {
	.kind = "anonymous", .token_id = "", .name = "", .customer_id = "", .rate_class = "bulk", .principal = "ip:192.0.2.2",
};

/* A request as the state is bound to it. */
static struct mcp_call
bound_call(struct rpc *m, struct mcp_io *io, const char *line)
{
	struct rpc_error e;

	ck_assert(rpc_read(parse(line), m, &e));
	return (struct mcp_call){ .c = &c, .io = io, .m = m, .era = ERA_MODERN };
}

#define CALL(name, arguments) REQ("tools/call", "\"name\":\"" name "\",\"arguments\":" arguments "," META(M26))

START_TEST(state_fits_its_call_only)
{
	static const char *const others[] = {
		CALL("open_tool", "{\"a\":2}"), CALL("other_tool", "{\"a\":1}"), CALL("open_tool", "{}"),
		REQ("prompts/get", "\"name\":\"open_tool\",\"arguments\":{\"a\":1}," META(M26)),
	};
	struct mcp_io io = { .who = &anonymous, .server = "catalog" };
	struct mcp_call call;
	const char *sealed, *text;
	struct rpc m;
	size_t n;

	call = bound_call(&m, &io, CALL("open_tool", "{\"a\":1}"));
	sealed = state_seal(&call, "{\"secret\":1}", 12);
	ck_assert_ptr_nonnull(sealed);
	ck_assert_int_eq(strncmp(sealed, "v1.", 3), 0);
	ck_assert_ptr_null(strstr(sealed, "secret"));
	ck_assert_str_ne(sealed, state_seal(&call, "{\"secret\":1}", 12));
	text = state_open(&call, sealed, &n);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(n, 12);
	ck_assert_str_eq(text, "{\"secret\":1}");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		call = bound_call(&m, &io, others[i]);
		ck_assert_msg(state_open(&call, sealed, &n) == NULL, "%s", others[i]);
	}
	call = bound_call(&m, &io, CALL("open_tool", "{\"a\":1}"));
	io.who = &other_caller;
	ck_assert_ptr_null(state_open(&call, sealed, &n));
	io.who = &anonymous;
	io.server = "orders";
	ck_assert_ptr_null(state_open(&call, sealed, &n));
}
END_TEST

/* Every single changed, missing or added character is noticed. */
START_TEST(state_cannot_be_changed)
{
	struct mcp_io io = { .who = &anonymous, .server = "" };
	struct mcp_call call;
	const char *sealed;
	struct rpc m;
	char *copy;
	size_t n;

	call = bound_call(&m, &io, CALL("open_tool", "{}"));
	sealed = state_seal(&call, "{}", 2);
	for (size_t i = 0; i < strlen(sealed); i++) {
		copy = arena_strdup(&arena, sealed);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		ck_assert_msg(state_open(&call, copy, &n) == NULL, "%zu: %s", i, copy);
		ck_assert_ptr_null(state_open(&call, arena_strndup(&arena, sealed, i), &n));
	}
	ck_assert_ptr_null(state_open(&call, arena_printf(&arena, "%sA", sealed), &n));
	ck_assert_ptr_null(state_open(&call, arena_printf(&arena, "%s-TAMPERED", sealed), &n));
	ck_assert_ptr_nonnull(state_open(&call, sealed, &n));
}
END_TEST

/* ---- questions ----------------------------------------------------------------------- */

#define CAPABLE(caps, rest) \
	REQ("tools/call", "\"name\":\"t\"," rest "\"_meta\":{\"" META_VERSION "\":" M26 ",\"" META_CLIENT_CAPABILITIES "\":" caps "}")
#define FORM "{\"message\":\"?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"string\"}},\"required\":[\"n\"]}}"

static const struct {
	const char *message;
	enum mcp_answer answer;
} questions[] = {
	{ CAPABLE("{}", ""), MCP_UNABLE },
	{ CAPABLE("{\"sampling\":{}}", ""), MCP_UNABLE },
	{ CAPABLE("{\"elicitation\":{}}", ""), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{},"), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"other\":{\"action\":\"accept\",\"content\":{\"n\":\"x\"}}},"), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"k\":5},"), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"k\":{\"action\":\"maybe\"}},"), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"k\":{\"action\":\"accept\"}},"), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"k\":{\"action\":\"accept\",\"content\":{\"n\":5}}},"), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"k\":{\"action\":\"accept\",\"content\":{}}},"), MCP_ASKED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"k\":{\"action\":\"accept\",\"content\":{\"n\":\"x\"}}},"), MCP_ANSWERED },
	{ CAPABLE("{\"elicitation\":{}}", "\"inputResponses\":{\"k\":{\"action\":\"decline\"},\"more\":1},"), MCP_ANSWERED },
};

START_TEST(question)
{
	struct mcp_io io = { .who = &anonymous, .server = "" };
	json_object *answer = NULL;
	struct mcp_call call;
	struct rpc m;

	call = bound_call(&m, &io, questions[_i].message);
	ck_assert(mcp_read_answers(&call));
	ck_assert_int_eq(mcp_ask(&call, "k", "elicitation/create", FORM, &answer), questions[_i].answer);
	ck_assert_int_eq(mcp_asking(&call), questions[_i].answer == MCP_ASKED);
	ck_assert_int_eq(answer != NULL, questions[_i].answer == MCP_ANSWERED);
}
END_TEST

/* ---- confirmation ----------------------------------------------------------------------- */

/* The reply to one message of that caller. */
static const char *
reply_to(const char *text, const struct subject *who, int *status)
{
	struct mcp_io io = { .who = who, .server = "", .via = VIA_STDIO };

	ck_assert_int_eq(mcp_message(&c, &io, text, strlen(text)), E_OK);
	*status = io.status;
	return io.reply;
}

static const char *
danger(const char *arguments, const char *more)
{
	return arena_printf(&arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"danger\",\"arguments\":{%s}%s}}",
		arguments, more);
}

/* There is no database here, so a call that is confirmed gets as far as "unavailable", and one that is not gets no further than its question. */
START_TEST(confirmation_by_token)
{
	char err[256] = "", token[512];
	const char *reply, *at;
	int status;

	ck_assert_msg(registry_load(files, err, sizeof(err)), "%s", err);
	reply = reply_to(danger("\"number\":\"A1\"", ""), &anonymous, &status);
	ck_assert_int_eq(status, 200);
	ck_assert_ptr_nonnull(strstr(reply, "Cancel A1? Nothing was done yet."));
	ck_assert_ptr_nonnull(strstr(reply, "\"isError\":true"));
	at = strstr(reply, "v1.");
	ck_assert_ptr_nonnull(at);
	(void)snprintf(token, sizeof(token), "%.*s", (int)strcspn(at, "\\"), at);
	reply = reply_to(danger(arena_printf(&arena, "\"number\":\"A2\",\"confirm\":\"%s\"", token), ""), &anonymous, &status);
	ck_assert_ptr_nonnull(strstr(reply, "confirm: is not what the preview"));
	reply = reply_to(danger(arena_printf(&arena, "\"number\":\"A1\",\"confirm\":\"%s\"", token), ""), &other_caller, &status);
	ck_assert_ptr_nonnull(strstr(reply, "confirm: is not what the preview"));
	reply = reply_to(danger("\"number\":\"A1\",\"confirm\":\"yes\"", ""), &anonymous, &status);
	ck_assert_ptr_nonnull(strstr(reply, "confirm: is not what the preview"));
	reply = reply_to(danger("\"confirm\":\"yes\"", ""), &anonymous, &status);
	ck_assert_ptr_nonnull(strstr(reply, "number: is required"));
	/* that it was used is written down before anything else, which takes a store */
	reply = reply_to(danger(arena_printf(&arena, "\"number\":\"A1\",\"confirm\":\"%s\"", token), ""), &anonymous, &status);
	ck_assert_ptr_nonnull(strstr(reply, "confirm: cannot be checked now"));
}
END_TEST

#define MAY_ASK(rest) ",\"_meta\":{\"" META_VERSION "\":" M26 ",\"" META_CLIENT_CAPABILITIES "\":{\"elicitation\":{}}}" rest

#define YES ",\"inputResponses\":{\"confirm\":{\"action\":\"accept\",\"content\":{\"ok\":true}}}"

START_TEST(confirmation_by_the_user)
{
	char err[256] = "", state[512];
	const char *reply, *at;
	int status;

	ck_assert_msg(registry_load(files, err, sizeof(err)), "%s", err);
	reply = reply_to(danger("\"number\":\"A1\"", MAY_ASK("")), &anonymous, &status);
	ck_assert_ptr_nonnull(strstr(reply, "\"resultType\":\"input_required\",\"inputRequests\":{\"confirm\":{\"method\":\"elicitation/create\",\"params\":{"
		"\"message\":\"Cancel A1?\""));
	at = strstr(reply, "\"requestState\":\"v1.");
	ck_assert_ptr_nonnull(at);
	at += strlen("\"requestState\":\"");
	(void)snprintf(state, sizeof(state), "%.*s", (int)strcspn(at, "\""), at);
	for (int i = 0; i < 3; i++) {
		static const char *const no[] = { "{\"action\":\"decline\"}", "{\"action\":\"cancel\"}", "{\"action\":\"accept\",\"content\":{\"ok\":false}}" };

		reply = reply_to(danger("\"number\":\"A1\"", arena_printf(&arena, MAY_ASK(",\"requestState\":\"%s\",\"inputResponses\":{\"confirm\":%s}"), state, no[i])),
			&anonymous, &status);
		ck_assert_ptr_nonnull(strstr(reply, "The user did not agree; nothing was done."));
	}
	/* a yes to what nobody has asked is none */
	reply = reply_to(danger("\"number\":\"A1\"", MAY_ASK(YES)), &anonymous, &status);
	ck_assert_ptr_nonnull(strstr(reply, "\"resultType\":\"input_required\""));
	/* that it was used is written down before anything else, which takes a store */
	reply = reply_to(danger("\"number\":\"A1\"", arena_printf(&arena, MAY_ASK(",\"requestState\":\"%s\"" YES), state)), &anonymous, &status);
	ck_assert_ptr_nonnull(strstr(reply, "confirm: cannot be checked now"));
}
END_TEST

/* ---- URIs ------------------------------------------------------------------------------ */

static const struct {
	const char *server, *uri, *row, *value, *cursor;	/* row NULL: there is no such resource */
} uris[] = {
	{ "", "souk://products/catalog", "souk://products/catalog", NULL, NULL },
	{ "", "vivr://products/catalog?cursor=o200", "souk://products/catalog", NULL, "o200" },
	{ "", "souk://products/a-lamp", "souk://products/{slug}", "a-lamp", NULL },
	{ "", "souk://products/caf%C3%A9", "souk://products/{slug}", "caf\xc3\xa9", NULL },
	{ "orders", "souk://orders/ORD-1", "souk://orders/{number}", "ORD-1", NULL },
	{ "catalog", "souk://orders/ORD-1", NULL, NULL, NULL },
	{ "admin", "souk://products/catalog", NULL, NULL, NULL },
	{ "", "souk://products/", NULL, NULL, NULL },
	{ "", "souk://products/a/b", NULL, NULL, NULL },
	{ "", "souk://products/%zz", NULL, NULL, NULL },
	{ "", "souk://products/%00", NULL, NULL, NULL },
	{ "", "souk://products/%ff", NULL, NULL, NULL },
	{ "", "souk://products/%4", NULL, NULL, NULL },
	{ "", "souk://products/catalog?page=2", NULL, NULL, NULL },
	{ "", "souk://products/catalog?cursor=", NULL, NULL, NULL },
	{ "", "SOUK://products/catalog", NULL, NULL, NULL },
	{ "", "", NULL, NULL, NULL },
	{ "", "file:///etc/passwd", NULL, NULL, NULL },
};

START_TEST(uri)
{
	struct mcp_found found;
	bool ok = resource_find(&c, uris[_i].server, uris[_i].uri, &found);

	ck_assert_int_eq(ok, uris[_i].row != NULL);
	if (!ok)
		return;
	ck_assert_str_eq(found.resource->uri, uris[_i].row);
	ck_assert_pstr_eq(found.value, uris[_i].value);
	ck_assert_pstr_eq(found.cursor, uris[_i].cursor);
}
END_TEST

static void
configure(void)
{
	char err[256];

	if (mkdtemp(state_dir) == NULL || setenv("STATE_DIR", state_dir, 1) != 0 ||
	    setenv("TOKEN_PEPPER", "0123456789abcdef0123456789abcdef", 1) != 0 ||
	    setenv("DATABASE_URL", "postgresql:///souk?host=/nowhere", 1) != 0 || unsetenv("REDIS_URL") != 0 || unsetenv("SOUK_CONF") != 0 || !cfg_load(NULL, err, sizeof(err)))
		exit(EXIT_FAILURE);
	shm_open_state();
}

int
main(void)
{
	Suite *s = suite_create("mcp");
	TCase *t = tcase_create("mcp");
	SRunner *sr;
	char command[64];
	int failed;

	configure();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, era, 0, sizeof(eras) / sizeof(eras[0]));
	tcase_add_loop_test(t, header_values, 0, sizeof(encoded) / sizeof(encoded[0]));
	tcase_add_test(t, header_blanks);
	tcase_add_loop_test(t, message, 0, sizeof(messages) / sizeof(messages[0]));
	tcase_add_test(t, without_headers);
	tcase_add_test(t, scopes);
	tcase_add_test(t, state_fits_its_call_only);
	tcase_add_test(t, state_cannot_be_changed);
	tcase_add_loop_test(t, question, 0, sizeof(questions) / sizeof(questions[0]));
	tcase_add_test(t, confirmation_by_token);
	tcase_add_test(t, confirmation_by_the_user);
	tcase_add_loop_test(t, uri, 0, sizeof(uris) / sizeof(uris[0]));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	(void)snprintf(command, sizeof(command), "rm -rf %s", state_dir);
	if (system(command) != 0)
		return EXIT_FAILURE;
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
