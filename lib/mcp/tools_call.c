/*
 * tools/call.  A tool's own failure that a model can repair (a wrong argument, nothing found, a conflict) is a result with isError; a malformed call is a
 * protocol error; what the caller must settle outside the conversation (sign in, wait) is an HTTP status besides.
 */
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "mcp/confirm.h"
#include "mcp/fixtures.h"
#include "mcp/headers.h"
#include "mcp/methods.h"
#include "mcp/notify.h"
#include "tool/handles.h"
#include "tool/schema.h"

static void
release(void *o)
{
	json_object_put(o);
}

static void
put_result(struct mcp_call *call, const struct tool_call *tool)
{
	mcp_member(call, "content");
	buf_puts(call->out, "[{\"type\":\"text\",\"text\":");
	buf_json_string(call->out, tool->json, tool->n);
	buf_puts(call->out, "}]");
	mcp_member(call, "structuredContent");
	buf_put(call->out, tool->json, tool->n);
}

static bool
put_tool_error(struct mcp_call *call)
{
	mcp_member(call, "content");
	buf_puts(call->out, "[{\"type\":\"text\",\"text\":");
	buf_json_cstr(call->out, ctx_message(call->c));
	buf_puts(call->out, "}]");
	mcp_member(call, "isError");
	buf_puts(call->out, "true");
	return true;
}

static bool
put_failure(struct mcp_call *call, const struct tool_call *tool, enum err e)
{
	switch (e) {
	case E_NOT_FOUND:
		if (tool->tool == NULL)
			return mcp_fail(call, RPC_PARAMS_INVALID, 200, "%s", ctx_message(call->c));
		return put_tool_error(call);
	case E_FORBIDDEN:
		/* refused by the tool itself, not for want of a scope: no other token would help */
		if (scope_held(call->io->who, tool->tool->scope))
			return put_tool_error(call);
		return mcp_refuse(call, e, tool->tool->scope);
	case E_UNAUTHENTICATED:
	case E_RATE_LIMITED:
	case E_UNAVAILABLE:
	case E_INTERNAL:
		return mcp_refuse(call, e, tool->tool != NULL && strcmp(tool->tool->scope, "none") != 0 ? tool->tool->scope : NULL);
	default:
		return put_tool_error(call);
	}
}

/* The fixture of that name, or NULL. */
static const struct mcp_fixture_tool *
find_fixture(const char *name)
{
	for (const struct mcp_fixture_tool *t = mcp_fixtures()->tools; t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static bool
call_fixture(struct mcp_call *call, const struct mcp_fixture_tool *t, json_object *args)
{
	json_object *entry, *schema;

	if (!mcp_count(call))
		return false;
	if (json_parse(call->c, t->entry, strlen(t->entry), &entry) != E_OK || json_get_object(entry, "inputSchema", &schema) != JSON_OK)
		return mcp_fail(call, RPC_INTERNAL, 200, "%s: the entry has no schema", t->name);
	if (call->era == ERA_MODERN && !header_params_match(call->c, call->io->headers, schema, args, &call->error))
		return false;
	if (args == NULL) {
		args = json_object_new_object();
		arena_defer(call->c->a, release, args);
	}
	if (schema_check(call->c, schema, args, false) != E_OK)
		return put_tool_error(call);
	return t->run(call, args);
}

static bool
read_params(struct mcp_call *call, struct tool_call *tool)
{
	if (!mcp_string_param(call, "name", &tool->name))
		return false;
	if (tool->name == NULL)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "name: is required");
	if (json_object_object_get_ex(call->m->params, "arguments", &tool->args) && !json_object_is_type(tool->args, json_type_object))
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "arguments: must be an object");
	return true;
}

/* What took how long, for those who want to know. */
static void
log_call(struct mcp_call *call, const struct tool_call *tool, int64_t us)
{
	struct buf b;

	if (call->log_level > MCP_DEBUG || tool->tool == NULL)
		return;
	buf_init(&b, call->c->a, 128, 4096);
	buf_puts(&b, "{\"tool\":");
	buf_json_cstr(&b, tool->tool->name);
	buf_printf(&b, ",\"microseconds\":%lld}", (long long)us);
	(void)mcp_log(call, MCP_DEBUG, "souk.tools", b.p);
}

bool
mcp_tools_call(struct mcp_call *call)
{
	struct mcp_io *io = call->io;
	const struct subject *asked = io->who;
	struct tool_call tool = {
		.who = io->who,
		.locale = io->locale,
		.via = io->via,
		.session_id = io->session_id,
		.idempotency_key = io->idempotency_key,
		.remote_ip = io->remote_ip,
		.server = io->server,
	};
	const struct mcp_fixture_tool *fixture;
	const struct tool *found;
	int64_t start = now_us();
	enum err e;

	if (!read_params(call, &tool))
		return mcp_count(call) && false;
	fixture = find_fixture(tool.name);
	if (fixture != NULL)
		return call_fixture(call, fixture, tool.args);
	found = tool_find(tool.name);
	if (call->era == ERA_MODERN && found != NULL &&
	    !header_params_match(call->c, io->headers, tool_schema(found), tool.args, &call->error))
		return mcp_count(call) && false;
	/* who confirms is who speaks; what is wrong with a handle is told by tool_call() */
	if (found != NULL && found->confirm != NULL && tool_handles(call->c, found, tool.args, &io->who) == E_OK) {
		bool confirmed;

		tool.who = io->who;
		confirmed = mcp_confirmed(call, found, tool.args);
		io->who = asked;
		if (!confirmed)
			return mcp_count(call);
	}
	ctx_clear_error(call->c);
	mcp_follow(call, &tool);
	e = tool_call(call->c, &tool);
	io->rate = tool.rate;
	io->rated = true;
	io->replayed = tool.replayed;
	log_call(call, &tool, now_us() - start);
	if (e != E_OK)
		return put_failure(call, &tool, e);
	put_result(call, &tool);
	return true;
}
