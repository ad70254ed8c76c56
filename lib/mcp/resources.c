/* resources/list, resources/templates/list, resources/read; legacy: resources/subscribe and unsubscribe. */
#include "mcp/resources.h"

#include <string.h>

#include "auth/subject.h"
#include "core/banned.h"
#include "core/json.h"
#include "mcp/apps.h"
#include "mcp/notify.h"
#include "mcp/session.h"

static const char json_media[] = "application/json";

static bool
is_template(const char *uri)
{
	return strchr(uri, '{') != NULL;
}

static void
put_text(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, ",\"%s\":", key);
	buf_json_cstr(b, value);
}

static void
put_resource(struct buf *b, const struct mcp_resource *r)
{
	buf_puts(b, is_template(r->uri) ? "{\"uriTemplate\":" : "{\"uri\":");
	buf_json_cstr(b, r->uri);
	put_text(b, "name", r->name);
	put_text(b, "title", r->title);
	put_text(b, "description", r->description);
	put_text(b, "mimeType", json_media);
	buf_putc(b, '}');
}

/* May the caller run the tool behind it? */
static bool
readable(const struct mcp_call *call, const struct mcp_resource *r)
{
	const struct tool *t = tool_find(r->tool);

	return t != NULL && scope_held(call->io->who, t->scope);
}

/* The elements of one of the two lists; returns their number in the whole list. */
static size_t
put_rows(struct mcp_call *call, bool templates, size_t start)
{
	size_t seen = 0, shown = 0;

	for (const struct mcp_fixture_resource *f = mcp_fixtures()->resources; f->uri != NULL; f++) {
		if (is_template(f->uri) != templates || seen++ < start || shown == PAGE_ROWS)
			continue;
		buf_puts(call->out, shown++ > 0 ? "," : "");
		buf_puts(call->out, f->entry);
	}
	for (const struct mcp_resource *r = mcp_resource_table; r->uri != NULL; r++) {
		if (is_template(r->uri) != templates || !resource_served(r->servers, call->io->server) || !readable(call, r) ||
		    seen++ < start || shown == PAGE_ROWS)
			continue;
		buf_puts(call->out, shown++ > 0 ? "," : "");
		put_resource(call->out, r);
	}
	if (!templates)
		seen += app_put_resources(call, start > seen ? start - seen : 0, PAGE_ROWS, &shown);
	return seen;
}

static bool
put_list(struct mcp_call *call, const char *member, bool templates)
{
	size_t start, all;

	if (!mcp_page(call, member, &start))
		return false;
	mcp_member(call, member);
	buf_putc(call->out, '[');
	all = put_rows(call, templates, start);
	buf_putc(call->out, ']');
	if (start > all)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "cursor: is not one of this list");
	if (all > start + PAGE_ROWS)
		mcp_next_page(call, member, start + PAGE_ROWS);
	mcp_cacheable(call, !subject_known(call->io->who) && !app_declared(call));
	return true;
}

bool
mcp_resources_list(struct mcp_call *call)
{
	return put_list(call, "resources", false);
}

bool
mcp_templates_list(struct mcp_call *call)
{
	return put_list(call, "resourceTemplates", true);
}

/* Run the tool behind the resource. */
static enum err
run(struct mcp_call *call, const struct mcp_found *found, struct tool_call *tool)
{
	const struct mcp_io *io = call->io;
	json_object *args;
	enum err e = json_parse(call->c, found->resource->arguments, strlen(found->resource->arguments), &args);

	*tool = (struct tool_call){ 0 };
	if (e != E_OK)
		return e;
	if (found->value != NULL)
		json_object_object_add(args, found->name, json_object_new_string(found->value));
	if (found->cursor != NULL)
		json_object_object_add(args, "cursor", json_object_new_string(found->cursor));
	*tool = (struct tool_call){
		.name = found->resource->tool, .args = args, .who = io->who, .locale = io->locale, .via = io->via,
		.session_id = io->session_id, .remote_ip = io->remote_ip,
	};
	mcp_follow(call, tool);
	return tool_call(call->c, tool);
}

static bool
refuse_read(struct mcp_call *call, const struct tool_call *tool, enum err e, const char *uri)
{
	const char *scope = tool->tool != NULL && strcmp(tool->tool->scope, "none") != 0 ? tool->tool->scope : NULL;

	switch (e) {
	case E_NOT_FOUND:
	case E_INVALID:
		return mcp_no_resource(call, uri);
	case E_UNAUTHENTICATED:
	case E_FORBIDDEN:
		/* callers know the resource, not the tool behind it */
		ctx_clear_error(call->c);
		(void)fail(call->c, e, "%.200s needs an access token%s%s", uri, scope != NULL ? " with the scope " : "", scope != NULL ? scope : "");
		return mcp_refuse(call, e, scope);
	default:
		return mcp_refuse(call, e, scope);
	}
}

static bool
read_param(struct mcp_call *call, const char **uri)
{
	if (!mcp_string_param(call, "uri", uri))
		return false;
	return *uri != NULL || mcp_fail(call, RPC_PARAMS_INVALID, 200, "uri: is required");
}

bool
mcp_resources_read(struct mcp_call *call)
{
	struct tool_call tool;
	struct mcp_found found;
	const char *uri;
	enum err e;

	if (!read_param(call, &uri))
		return mcp_count(call) && false;
	if (app_find(uri) != NULL)
		return mcp_count(call) && app_read(call, app_find(uri), uri);
	if (!resource_find(call->c, call->io->server, uri, &found))
		return mcp_count(call) && mcp_no_resource(call, uri);
	if (found.fixture != NULL) {
		mcp_member(call, "contents");
		buf_putc(call->out, '[');
		found.fixture->read(call, uri, found.value);
		buf_putc(call->out, ']');
		mcp_cacheable(call, true);
		return mcp_count(call);
	}
	e = run(call, &found, &tool);
	call->io->rate = tool.rate;
	call->io->rated = true;
	if (e != E_OK)
		return refuse_read(call, &tool, e, uri);
	mcp_member(call, "contents");
	buf_puts(call->out, "[{\"uri\":");
	buf_json_cstr(call->out, uri);
	put_text(call->out, "mimeType", json_media);
	buf_puts(call->out, ",\"text\":");
	buf_json_string(call->out, tool.json, tool.n);
	buf_puts(call->out, "}]");
	mcp_cacheable(call, strcmp(tool.tool->scope, "none") == 0);
	return true;
}

bool
resource_allowed(struct mcp_call *call, const char *uri)
{
	struct tool_call tool;
	struct mcp_found found;
	const struct tool *t;
	bool ok;

	if (!resource_find(call->c, call->io->server, uri, &found))
		return false;
	if (found.fixture != NULL)
		return true;
	t = tool_find(found.resource->tool);
	if (t == NULL || !scope_held(call->io->who, t->scope))
		return false;
	if (strcmp(t->scope, "none") == 0)
		return true;
	ok = run(call, &found, &tool) == E_OK;
	ctx_clear_error(call->c);
	return ok;
}

/* The place of the URI among the session's subscriptions; their number when it is not there. */
static size_t
place_of(json_object *uris, const char *uri)
{
	size_t n = json_object_array_length(uris), i = 0;

	while (i < n && strcmp(json_object_get_string(json_object_array_get_idx(uris, i)), uri) != 0)
		i++;
	return i;
}

static bool
subscribed(struct mcp_call *call, bool wanted)
{
	json_object *uris;
	const char *uri;
	size_t at;

	if (call->session == NULL)
		return mcp_fail(call, RPC_METHOD_UNKNOWN, 200, "resources/subscribe and unsubscribe need a session");
	if (!read_param(call, &uri))
		return false;
	if (!json_object_object_get_ex(call->session->record, "uris", &uris) || !json_object_is_type(uris, json_type_array))
		return mcp_fail(call, RPC_INTERNAL, 200, "the session is damaged");
	if (wanted && !resource_allowed(call, uri))
		return mcp_no_resource(call, uri);
	at = place_of(uris, uri);
	if ((at < json_object_array_length(uris)) == wanted)
		return true;
	if (wanted && at >= SESSION_SUBSCRIPTIONS)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "a session has at most %d subscriptions", SESSION_SUBSCRIPTIONS);
	if (wanted)
		json_object_array_add(uris, json_object_new_string(uri));
	else
		json_object_array_del_idx(uris, at, 1);
	return session_save(call->c, call->session) == E_OK || mcp_refuse(call, call->c->err, NULL);
}

bool
mcp_subscribe(struct mcp_call *call)
{
	return subscribed(call, true);
}

bool
mcp_unsubscribe(struct mcp_call *call)
{
	return subscribed(call, false);
}
