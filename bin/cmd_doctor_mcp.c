/*
 * souk doctor: what MCP clients stumble over, asked of the server as they would ask it, from outside.  Each failure that is known from real
 * servers and proxies has a check of its own.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "doctor.h"

#define RPC(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{" params "}}"
#define INIT(version, capabilities) \
	RPC("initialize", "\"protocolVersion\":\"" version "\",\"capabilities\":{" capabilities "},\"clientInfo\":{\"name\":\"souk-doctor\",\"version\":\"1\"}")
#define MODERN "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define BOTH "Accept: application/json, text/event-stream"
#define STREAM_MS 3000	/* the first event has to come by then */
#define SESSION_TRIES 12

/* POST to path; the status, 0 when there was no answer. */
static long
post(struct doctor *d, const char *url, const char *path, const char *body, const char *const *headers, struct doctor_reply *r)
{
	return doctor_ask(d, url, path, &(struct doctor_request){ .body = body, .headers = headers }, r) == NULL ? r->status : 0;
}

/* The member "result" of an answer, NULL when there is none. */
static json_object *
result_of(struct doctor *d, const struct doctor_reply *r)
{
	json_object *o, *result = NULL;
	const char *text = buf_str(&r->body);

	if (strncmp(text, "event:", 6) == 0 && strstr(text, "data:") != NULL) {
		text = strstr(text, "data:") + 5;
		text += strspn(text, " ");
		text = arena_strndup(&d->cli->arena, text, strcspn(text, "\r\n"));
	}
	if (json_parse(&d->cli->c, text, strlen(text), &o) != E_OK || !json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, "result", &result) || !json_object_is_type(result, json_type_object))
		result = NULL;
	ctx_clear_error(&d->cli->c);
	return result;
}

static const char *
text_of(json_object *o, const char *key)
{
	json_object *v;

	return o != NULL && json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

/* ---- one check for each failure ----------------------------------------------------------- */

/* /mcp and /mcp/ are both served where they are: a redirect loses the body or the token. */
static bool
check_address(struct doctor *d, const char *url)
{
	static const char *const paths[] = { "/mcp", "/mcp/" }, *const headers[] = { BOTH, NULL };
	struct doctor_reply r;

	for (size_t i = 0; i < 2; i++) {
		long status = post(d, url, paths[i], INIT("2025-11-25", ""), headers, &r);

		if (status >= 300 && status < 400)
			found(d, WRONG, "mcp-address", "serve /mcp and /mcp/ without a redirect; see the example configurations", "POST %s is redirected (%ld)", paths[i], status);
		else if (status == 401 || status == 403)
			found(d, WRONG, "mcp-open", "open the handshake to everybody: whatever asks for a password in front of souk has to leave out /mcp",
			    "initialize without a token is answered %ld", status);
		else if (status != 200 || result_of(d, &r) == NULL)
			found(d, WRONG, "mcp-address", "hand this path to souk; see the example configurations", "POST %s is answered %ld, not by MCP", paths[i], status);
		else
			continue;
		return false;
	}
	found(d, FINE, "mcp-address", NULL, "/mcp and /mcp/ answer, without a token");
	return true;
}

/* Clients that ask for little, or for anything, are served. */
static void
check_accept(struct doctor *d, const char *url)
{
	static const char *const asked[] = { "Accept:", "Accept: */*", "Accept: application/json", BOTH };
	struct doctor_reply r;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const char *const headers[] = { asked[i], NULL };
		long status = post(d, url, "/mcp", RPC("ping", ""), headers, &r);

		if (status != 200) {
			found(d, WRONG, "mcp-accept", "something in front of souk judges Accept: let it pass", "with \"%s\" the answer is %ld", asked[i], status);
			return;
		}
	}
	found(d, FINE, "mcp-accept", NULL, "any Accept is served");
}

/* GET and DELETE without a session: 405 and Allow, or clients give up. */
static void
check_methods(struct doctor *d, const char *url)
{
	static const char *const methods[] = { "GET", "DELETE" }, *const headers[] = { "Accept: text/event-stream", NULL };
	struct doctor_reply r;

	for (size_t i = 0; i < 2; i++) {
		const char *why = doctor_ask(d, url, "/mcp", &(struct doctor_request){ .method = methods[i], .headers = headers }, &r);
		const char *allow = why == NULL ? doctor_header(d, &r, "allow") : NULL;

		if (why != NULL || r.status != 405 || allow == NULL || strstr(allow, "POST") == NULL) {
			found(d, WRONG, "mcp-methods", "let GET and DELETE reach souk, which answers 405 with Allow: POST", "%s /mcp is answered %ld%s", methods[i], r.status,
			    r.status == 405 ? " without Allow: POST" : "");
			return;
		}
	}
	found(d, FINE, "mcp-methods", NULL, "GET and DELETE are answered 405");
}

/* Headers for browsers are on errors too. */
static void
check_cors(struct doctor *d, const char *url)
{
	const char *const headers[] = { BOTH, arena_printf(&d->cli->arena, "Origin: %.*s", (int)(strcspn(url + 8, "/") + 8), url), NULL };
	static const struct { const char *path, *body; } asked[] = { { "/mcp", RPC("ping", "") }, { "/mcp/no-such-server", RPC("ping", "") }, { "/mcp", "{" } };
	struct doctor_reply r;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		long status = post(d, url, asked[i].path, asked[i].body, headers, &r);

		if (status == 403) {
			found(d, WRONG, "mcp-cors", "set PUBLIC_URL (and ALLOWED_HOSTS) to the address that clients use", "pages of %s itself are refused", url);
			return;
		}
		if (doctor_header(d, &r, "access-control-allow-origin") == NULL) {
			found(d, WRONG, "mcp-cors", "do not set or drop CORS headers in the web server: souk sends them with every answer",
			    "an answer with status %ld has no Access-Control-Allow-Origin", status);
			return;
		}
	}
	found(d, FINE, "mcp-cors", NULL, "answers and errors carry CORS headers");
}

/* Old, new, and versions that are not made yet. */
static void
check_versions(struct doctor *d, const char *url)
{
	static const struct { const char *body, *want; } tried[] = {
		{ INIT("2024-11-05", ""), "2024-11-05" }, { INIT("2025-06-18", ""), "2025-06-18" }, { INIT("2099-01-01", ""), "2025-11-25" },
	};
	static const char *const headers[] = { BOTH, NULL };
	static const char *const modern[] = { BOTH, "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: server/discover", NULL };
	struct doctor_reply r;

	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		long status = post(d, url, "/mcp", tried[i].body, headers, &r);

		if (strcmp(text_of(result_of(d, &r), "protocolVersion"), tried[i].want) != 0) {
			found(d, WRONG, "mcp-versions", "is this souk, and its newest version?", "initialize is not answered with revision %s (status %ld)", tried[i].want, status);
			return;
		}
	}
	if (post(d, url, "/mcp", RPC("server/discover", MODERN), modern, &r) != 200 || result_of(d, &r) == NULL)
		found(d, WRONG, "mcp-versions", "something in front of souk drops the headers MCP-Protocol-Version or Mcp-Method: let them pass",
		    "server/discover of revision 2026-07-28 is answered %ld", r.status);
	else
		found(d, FINE, "mcp-versions", NULL, "all revisions from 2024-11-05 to 2026-07-28 are spoken");
}

/* A session that one process has opened is known to all. */
static void
check_sessions(struct doctor *d, const char *url)
{
	static const char *const opening[] = { BOTH, NULL };
	const char *headers[] = { BOTH, NULL, NULL, NULL }, *id;
	struct doctor_reply r;
	int lost = 0;

	if (post(d, url, "/mcp", INIT("2025-11-25", "\"roots\":{}"), opening, &r) != 200 || (id = doctor_header(d, &r, "mcp-session-id")) == NULL) {
		found(d, WARNING, "mcp-sessions", "is the key-value store there, and does the proxy pass Mcp-Session-Id?", "no session is offered: nobody can be asked questions");
		return;
	}
	headers[1] = arena_printf(&d->cli->arena, "Mcp-Session-Id: %s", id);
	headers[2] = "Connection: close";
	for (int i = 0; i < SESSION_TRIES; i++)
		lost += post(d, url, "/mcp", RPC("ping", ""), headers, &r) != 200;
	if (lost > 0)
		found(d, WRONG, "mcp-sessions", "all programs and hosts need the same database (or Redis) and configuration", "%d of %d requests of a session were not recognised", lost,
		    SESSION_TRIES);
	else
		found(d, FINE, "mcp-sessions", NULL, "every process knows the sessions of the others");
	(void)doctor_ask(d, url, "/mcp", &(struct doctor_request){ .method = "DELETE", .headers = headers }, &r);
}

/* Events leave at once, uncompressed, one line each, and nothing that was not asked for. */
static void
check_stream(struct doctor *d, const char *url)
{
	static const char *const headers[] = { "Accept: text/event-stream", "Accept-Encoding: gzip", NULL };
	static const char *const listening[] = { BOTH, "Accept-Encoding: gzip", "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: subscriptions/listen", NULL };
	const char mend[] = "lighttpd: server.stream-response-body; Apache: flushpackets=on, FcgidOutputBufferSize 0; no mod_deflate, no nginx proxy_buffering for /mcp";
	const char *type, *first, *why;
	struct doctor_reply r;

	(void)post(d, url, "/mcp", RPC("tools/call", "\"name\":\"list_categories\",\"arguments\":{\"limit\":2}"), headers, &r);
	type = doctor_header(d, &r, "content-type");
	first = strstr(buf_str(&r.body), "data:");
	if (doctor_header(d, &r, "content-encoding") != NULL)
		found(d, WRONG, "mcp-stream", "do not compress text/event-stream", "event streams are compressed");
	else if (type == NULL || strncmp(type, "text/event-stream", 17) != 0)
		found(d, WRONG, "mcp-stream", mend, "an event stream was asked for, %.60s came (status %ld)", type != NULL ? type : "nothing", r.status);
	else if (first == NULL || strstr(first + 5, "data:") != NULL || result_of(d, &r) == NULL)
		found(d, WRONG, "mcp-stream", "something changes event streams on their way", "a call that asked for no progress is not answered by one event of one line");
	else {
		why = doctor_ask(d, url, "/mcp", &(struct doctor_request){ .body = RPC("subscriptions/listen", MODERN ",\"notifications\":{}"), .headers = listening,
			.wait_ms = STREAM_MS, .enough = "subscriptions/acknowledged" }, &r);
		if (why == NULL && r.got_enough)
			found(d, FINE, "mcp-stream", NULL, "events leave at once");
		else if (strstr(buf_str(&r.body), "too many streams") != NULL || (why == NULL && !r.timed_out && result_of(d, &r) == NULL && r.body.n > 0))
			found(d, WARNING, "mcp-stream", "raise MCP_STREAMS (and WORKERS), or ask again later", "no process is free for a stream");
		else
			found(d, WRONG, "mcp-stream", mend, "the first event of a stream had not come after %d s: something collects them", STREAM_MS / 1000);
	}
}

/* NULL, or what of the tool some client will not take. */
static const char *
tool_fault(json_object *tool)
{
	static const char *const combinators[] = { "anyOf", "oneOf", "allOf", "not", "if", "$ref" };
	const char *name = text_of(tool, "name");
	json_object *in, *out;

	if (name[0] == '\0' || strlen(name) > 64 || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
		return "its name is longer than 64 characters or has others than letters, digits and _";
	if (json_get_object(tool, "inputSchema", &in) != JSON_OK || strcmp(text_of(in, "type"), "object") != 0)
		return "inputSchema is no object schema";
	for (size_t i = 0; i < sizeof(combinators) / sizeof(combinators[0]); i++)
		if (json_object_object_get_ex(in, combinators[i], NULL))
			return "inputSchema has a combinator at its root";
	if (json_object_object_get_ex(tool, "outputSchema", &out) && strcmp(text_of(out, "type"), "object") != 0)
		return "outputSchema is no object schema";
	return NULL;
}

static void
check_tools(struct doctor *d, const char *url)
{
	static const char *const headers[] = { BOTH, NULL };
	json_object *list, *result, *content;
	struct doctor_reply r;
	size_t n;

	(void)post(d, url, "/mcp", RPC("tools/list", ""), headers, &r);
	result = result_of(d, &r);
	if (result == NULL || json_get_array(result, "tools", &list) != JSON_OK || (n = json_object_array_length(list)) == 0) {
		found(d, WRONG, "mcp-tools", "see the log of the programs", "there are no tools (status %ld)", r.status);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		json_object *tool = json_object_array_get_idx(list, i);
		const char *fault = tool_fault(tool);

		if (fault != NULL) {
			found(d, WRONG, "mcp-tools", "clients drop such a tool, or the whole list: correct its contract", "%.80s: %s", text_of(tool, "name"), fault);
			return;
		}
	}
	(void)post(d, url, "/mcp", RPC("tools/call", "\"name\":\"list_categories\",\"arguments\":{\"limit\":1}"), headers, &r);
	result = result_of(d, &r);
	if (result == NULL || json_get_object(result, "structuredContent", &content) != JSON_OK)
		found(d, WRONG, "mcp-tools", "see the log of the programs", "list_categories gives no structured result (status %ld)", r.status);
	else
		found(d, FINE, "mcp-tools", NULL, "%zu public tools, every client takes them", n);
}

static void
check_websocket(struct doctor *d, const char *url)
{
	static const char *const headers[] = { "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: c291ayBkb2N0b3IgYXNrcw==",
		"Sec-WebSocket-Protocol: mcp", NULL };
	struct doctor_reply r;
	const char *why = doctor_ask(d, url, "/ws", &(struct doctor_request){ .headers = headers, .wait_ms = 5000 }, &r);

	if (r.status == 101)
		found(d, FINE, "websocket", NULL, "/ws takes WebSocket connections");
	else
		found(d, WARNING, "websocket", "start souk-ws --listen SOCKET and hand /ws to it (souk-ws.service.example); without it only WebSocket is missing",
		    "/ws is answered %ld%s%s", r.status, why != NULL ? ": " : "", why != NULL ? why : "");
}

void
doctor_mcp(struct doctor *d, const char *url)
{
	if (!check_address(d, url))
		return;
	check_accept(d, url);
	check_methods(d, url);
	check_cors(d, url);
	check_versions(d, url);
	check_sessions(d, url);
	check_stream(d, url);
	check_tools(d, url);
	check_websocket(d, url);
}
