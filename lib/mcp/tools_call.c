/*
 * tools/call.  A tool's own failure that a model can repair (a wrong argument, nothing found, a conflict) is a result with isError; a malformed call is a
 * protocol error; what the caller must settle outside the conversation (sign in, wait) is an HTTP status besides.
 */
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "mcp/methods.h"

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

bool
mcp_tools_call(struct mcp_call *call)
{
	struct mcp_io *io = call->io;
	struct tool_call tool = {
		.who = io->who,
		.locale = io->locale,
		.via = io->via,
		.session_id = io->session_id,
		.idempotency_key = io->idempotency_key,
		.remote_ip = io->remote_ip,
		.server = io->server,
	};
	enum err e;

	if (!mcp_string_param(call, "name", &tool.name))
		return mcp_count(call) && false;
	if (tool.name == NULL)
		return mcp_count(call) && mcp_fail(call, RPC_PARAMS_INVALID, 200, "name: is required");
	if (json_object_object_get_ex(call->m->params, "arguments", &tool.args) && !json_object_is_type(tool.args, json_type_object))
		return mcp_count(call) && mcp_fail(call, RPC_PARAMS_INVALID, 200, "arguments: must be an object");
	e = tool_call(call->c, &tool);
	io->rate = tool.rate;
	io->rated = true;
	io->replayed = tool.replayed;
	if (e != E_OK)
		return put_failure(call, &tool, e);
	put_result(call, &tool);
	return true;
}
