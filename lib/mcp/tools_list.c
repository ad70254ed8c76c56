/*
 * tools/list.  What is listed depends on the server of the endpoint and on the caller's scopes, nothing else.  Public tools without a required argument
 * come first, because checks of clients call the first tool with none.
 */
#include <string.h>

#include "auth/subject.h"
#include "core/banned.h"
#include "mcp/apps.h"
#include "mcp/fixtures.h"
#include "mcp/methods.h"

struct listing {
	size_t start;	/* number of the first tool of the page */
	size_t seen;	/* tools of the whole list so far */
};

static bool
comes_first(const struct tool *t)
{
	return !t->needs_args && strcmp(t->scope, "none") == 0;
}

/* One more entry: is it on the page?  The comma before it is written then. */
static bool
on_page(struct mcp_call *call, struct listing *l)
{
	size_t i = l->seen++;

	if (i < l->start || i >= l->start + PAGE_ROWS)
		return false;
	if (i > l->start)
		buf_putc(call->out, ',');
	return true;
}

/* What a guest may do is shown to whoever may become one. */
static bool
may_see(const struct subject *who, const struct tool *t)
{
	return scope_held(who, t->scope) || (((t->handles & HANDLE_GUEST) != 0 || t->open) && !subject_known(who));
}

static void
list_tools(struct mcp_call *call, struct listing *l, bool first)
{
	for (const struct tool *t = tools_all(); t->name != NULL; t++) {
		const char *name;

		if (!tool_listed(t, call->io->server, &name) || comes_first(t) != first || !may_see(call->io->who, t) || !on_page(call, l))
			continue;
		tool_put_entry(call->out, t, name);
		app_put_view(call, t);
	}
}

bool
mcp_tools_list(struct mcp_call *call)
{
	struct listing l = { 0 };

	if (!mcp_page(call, "tools", &l.start))
		return false;
	mcp_member(call, "tools");
	buf_putc(call->out, '[');
	list_tools(call, &l, true);
	list_tools(call, &l, false);
	for (const struct mcp_fixture_tool *t = mcp_fixtures()->tools; t->name != NULL; t++)
		if (on_page(call, &l))
			buf_puts(call->out, t->entry);
	buf_putc(call->out, ']');
	if (l.start > l.seen)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "cursor: is not one of this list");
	if (l.seen > l.start + PAGE_ROWS)
		mcp_next_page(call, "tools", l.start + PAGE_ROWS);
	mcp_cacheable(call, !subject_known(call->io->who) && !app_declared(call));
	return true;
}
