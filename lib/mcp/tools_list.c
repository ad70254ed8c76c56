/*
 * tools/list.  What is listed depends on the server of the endpoint and on the caller's scopes, nothing else.  Public tools without a required argument
 * come first, because checks of clients call the first tool with none.  The cursor is the name of the last tool of the page before.
 */
#include <string.h>

#include "core/banned.h"
#include "mcp/methods.h"

#define PAGE_TOOLS 200		/* many clients read the first page only: it has to hold everything */

struct listing {
	const char *after;	/* cursor: list what follows this tool; NULL once it was passed */
	const char *last;	/* the tool listed last */
	int n;
	bool more;
};

static bool
comes_first(const struct tool *t)
{
	return !t->needs_args && strcmp(t->scope, "none") == 0;
}

static void
list_tool(struct mcp_call *call, struct listing *l, const struct tool *t)
{
	size_t n;
	const char *entry = tool_entry(t, call->io->server, &n);

	if (entry == NULL || !scope_held(call->io->who, t->scope))
		return;
	if (l->after != NULL) {
		if (strcmp(l->after, t->name) == 0)
			l->after = NULL;
		return;
	}
	if (l->n == PAGE_TOOLS) {
		l->more = true;
		return;
	}
	if (l->n++ > 0)
		buf_putc(call->out, ',');
	buf_put(call->out, entry, n);
	l->last = t->name;
}

bool
mcp_tools_list(struct mcp_call *call)
{
	struct listing l = { 0 };

	if (!mcp_string_param(call, "cursor", &l.after))
		return false;
	mcp_member(call, "tools");
	buf_putc(call->out, '[');
	for (const struct tool *t = tools_all(); t->name != NULL; t++)
		if (comes_first(t))
			list_tool(call, &l, t);
	for (const struct tool *t = tools_all(); t->name != NULL; t++)
		if (!comes_first(t))
			list_tool(call, &l, t);
	buf_putc(call->out, ']');
	if (l.after != NULL)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "cursor: is not one of this list");
	if (l.more) {
		mcp_member(call, "nextCursor");
		buf_json_cstr(call->out, l.last);
	}
	mcp_cacheable(call, call->io->who->token_id[0] == '\0' && call->io->who->customer_id[0] == '\0');
	return true;
}
