/* completion/complete: arguments of prompts, and variables of resource templates. */
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "core/json.h"
#include "mcp/methods.h"
#include "mcp/notify.h"
#include "mcp/prompts.h"
#include "mcp/resources.h"

struct wanted {
	const char *type, *ref;		/* "ref/prompt" and its name, "ref/resource" and its template */
	const char *argument, *value;
	bool prompt;			/* which of the two */
};

static bool
read_text(struct mcp_call *call, json_object *o, const char *where, const char *key, const char **out)
{
	size_t n;

	if (json_get_string(o, key, 0, 4096, out, &n) == JSON_OK)
		return true;
	return mcp_fail(call, RPC_PARAMS_INVALID, 200, "%s.%s: must be a string", where, key);
}

static bool
read_wanted(struct mcp_call *call, struct wanted *w)
{
	json_object *ref, *argument;

	if (call->m->params == NULL || json_get_object(call->m->params, "ref", &ref) != JSON_OK ||
	    json_get_object(call->m->params, "argument", &argument) != JSON_OK)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "ref and argument: must be objects");
	if (!read_text(call, ref, "ref", "type", &w->type))
		return false;
	w->prompt = strcmp(w->type, "ref/prompt") == 0;
	if (!w->prompt && strcmp(w->type, "ref/resource") != 0)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "ref.type: must be ref/prompt or ref/resource");
	return read_text(call, ref, "ref", w->prompt ? "name" : "uri", &w->ref) && read_text(call, argument, "argument", "name", &w->argument) &&
	    read_text(call, argument, "argument", "value", &w->value);
}

/* The values of a prompt's argument that begin with what was typed, case aside. */
static bool
put_values(struct mcp_call *call, json_object *values, const char *typed)
{
	size_t n = 0;

	mcp_member(call, "completion");
	buf_puts(call->out, "{\"values\":[");
	if (values != NULL) {
		json_object_object_foreach(values, key, v) {
			(void)v;
			if (strncasecmp(key, typed, strlen(typed)) != 0)
				continue;
			buf_puts(call->out, n++ > 0 ? "," : "");
			buf_json_cstr(call->out, key);
		}
	}
	buf_printf(call->out, "],\"total\":%zu,\"hasMore\":false}", n);
	return true;
}

static void
release(void *o)
{
	json_object_put(o);
}

/* What a tool finds in the database, {"values","total","hasMore"}. */
static bool
put_found(struct mcp_call *call, const char *name, const char *typed)
{
	const struct mcp_io *io = call->io;
	json_object *args = json_object_new_object();
	struct tool_call tool = {
		.name = name, .args = args, .who = io->who, .locale = io->locale, .via = io->via, .session_id = io->session_id,
		.remote_ip = io->remote_ip,
	};
	enum err e;

	arena_defer(call->c->a, release, args);
	json_object_object_add(args, "value", json_object_new_string(typed));
	mcp_follow(call, &tool);
	e = tool_call(call->c, &tool);
	if (e == E_INVALID || e == E_UNAUTHENTICATED || e == E_FORBIDDEN)
		return put_values(call, NULL, typed);	/* to whom may not read it, nothing is told */
	if (e != E_OK)
		return mcp_refuse(call, e, NULL);
	mcp_member(call, "completion");
	buf_put(call->out, tool.json, tool.n);
	return true;
}

static bool
complete_prompt(struct mcp_call *call, const struct wanted *w)
{
	const struct mcp_prompt *p = prompt_find(call->io->server, w->ref);
	json_object *of, *values = NULL;

	if (p == NULL) {
		for (const struct mcp_fixture_prompt *f = mcp_fixtures()->prompts; f->name != NULL; f++)
			if (strcmp(f->name, w->ref) == 0)
				return put_values(call, NULL, w->value);
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "unknown prompt: %.60s", w->ref);
	}
	if (json_object_object_get_ex(p->file, "x-complete", &of) && json_object_object_get_ex(of, w->argument, &values))
		return put_found(call, json_object_get_string(values), w->value);
	if (json_object_object_get_ex(p->file, "x-values", &of))
		(void)json_object_object_get_ex(of, w->argument, &values);
	return put_values(call, values, w->value);
}

static bool
complete_template(struct mcp_call *call, const struct wanted *w)
{
	const struct mcp_resource *r = resource_template(call->c, call->io->server, w->ref);
	const char *variable;

	if (r == NULL) {
		for (const struct mcp_fixture_resource *f = mcp_fixtures()->resources; f->uri != NULL; f++)
			if (strcmp(f->uri, w->ref) == 0)
				return put_values(call, NULL, w->value);
		return mcp_no_resource(call, w->ref);
	}
	variable = strchr(r->uri, '{');
	if (r->complete == NULL || variable == NULL || strncmp(variable + 1, w->argument, strlen(w->argument)) != 0 ||
	    variable[1 + strlen(w->argument)] != '}')
		return put_values(call, NULL, w->value);
	return put_found(call, r->complete, w->value);
}

bool
mcp_complete(struct mcp_call *call)
{
	struct wanted w = { 0 };

	if (!read_wanted(call, &w))
		return false;
	return w.prompt ? complete_prompt(call, &w) : complete_template(call, &w);
}
