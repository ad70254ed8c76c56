/*
 * Reads and checks one contract.  What is refused here is what clients would drop, or what would let a tool run without a permission, a limit or
 * a validation; so no program is built with it.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "auth/signed.h"
#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "tool/handles.h"
#include "tool/registry.h"
#include "tool/schema.h"

#define NAME_MAX_SZ 40
#define TEXT_MAX 65536		/* bytes of a contract */

/* A contract while it is read. */
struct contract {
	json_object *json, *input;	/* the whole, and its inputSchema */
	struct tool *t;
};

static const char *const kinds[] = { "CHAT", "SEARCH", "RECOMMENDATION", "CONTENT_GENERATION", "ANALYTICS", NULL };

/* The MCP members beside the name, in the order in which they are listed; then ours. */
static const char *const mcp_members[] = {
	"title", "description", "inputSchema", "outputSchema", "annotations", "icons", "_meta", NULL
};
static const char *const own_members[] = {
	"x-scope", "x-rate", "x-servers", "x-aliases", "x-rest", "x-handler", "x-transaction", "x-interaction",
	"x-confirm", "x-handles", "x-open", "x-app", NULL
};

static const char *
in_list(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return *list;
	return NULL;
}

static bool
name_ok(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= NAME_MAX_SZ && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* A required text that is not empty. */
static enum err
text(struct ctx *c, json_object *o, const char *key, const char **out)
{
	size_t n;

	switch (json_get_string(o, key, 1, 8192, out, &n)) {
	case JSON_OK:
		return E_OK;
	case JSON_ABSENT:
		return fail(c, E_INVALID, "%s is missing", key);
	default:
		return fail(c, E_INVALID, "%s must be a text that is not empty", key);
	}
}

static enum err
read_names(struct ctx *c, const struct tool_file *file, struct contract *k)
{
	struct tool *t = k->t;
	const char *slash = strchr(file->path, '/');

	json_object_object_foreach(k->json, key, v) {
		(void)v;
		if (strcmp(key, "name") != 0 && in_list(mcp_members, key) == NULL && in_list(own_members, key) == NULL)
			return fail(c, E_INVALID, "unknown member %s", key);
	}
	if (slash == NULL)
		return fail(c, E_INVALID, "the path must be server/name");
	t->path = file->path;
	t->server = arena_strndup(c->a, file->path, (size_t)(slash - file->path));
	if (text(c, k->json, "name", &t->name) || text(c, k->json, "title", &t->title) ||
	    text(c, k->json, "description", &t->description))
		return c->err;
	if (strcmp(t->name, slash + 1) != 0)
		return fail(c, E_INVALID, "name is \"%s\" but the file's is \"%s\"", t->name, slash + 1);
	if (!name_ok(t->name))
		return fail(c, E_INVALID, "name must be 1 to %d of [a-z0-9_]", NAME_MAX_SZ);
	return E_OK;
}

/* "none" or "area:verb". */
static bool
scope_ok(const char *s)
{
	const char *colon = strchr(s, ':');

	if (strcmp(s, "none") == 0)
		return true;
	if (colon == NULL || colon == s || colon[1] == '\0' || strchr(colon + 1, ':') != NULL)
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz_:") == strlen(s);
}

static enum err
read_limits(struct ctx *c, struct contract *k)
{
	struct tool *t = k->t;
	static const char *const hints[] = { "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint", NULL };
	json_object *annotations;
	bool value;

	if (text(c, k->json, "x-scope", &t->scope) || text(c, k->json, "x-rate", &t->rate))
		return c->err;
	if (!scope_ok(t->scope))
		return fail(c, E_INVALID, "x-scope \"%s\" is neither none nor area:verb", t->scope);
	if (!rate_class_known(t->rate))
		return fail(c, E_INVALID, "x-rate \"%s\" is no rate class", t->rate);
	if (json_get_object(k->json, "annotations", &annotations) != JSON_OK)
		return fail(c, E_INVALID, "annotations are missing");
	for (size_t i = 0; hints[i] != NULL; i++)
		if (json_get_bool(annotations, hints[i], &value) != JSON_OK)
			return fail(c, E_INVALID, "annotations: %s is missing", hints[i]);
	(void)json_get_bool(annotations, "readOnlyHint", &t->read_only);
	return E_OK;
}

/* Clients reject arrays without items, wherever they are. */
static enum err
arrays_have_items(struct ctx *c, json_object *schema, int depth)
{
	const char *type;
	size_t n;

	if (depth > SCHEMA_DEPTH_MAX)
		return fail(c, E_INVALID, "a schema is nested too deeply");
	if (json_object_is_type(schema, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(schema); i++)
			if (arrays_have_items(c, json_object_array_get_idx(schema, i), depth + 1))
				return c->err;
		return E_OK;
	}
	if (!json_object_is_type(schema, json_type_object))
		return E_OK;
	if (json_get_string(schema, "type", 0, 64, &type, &n) == JSON_OK && strcmp(type, "array") == 0 &&
	    !json_object_object_get_ex(schema, "items", NULL))
		return fail(c, E_INVALID, "an array without items");
	json_object_object_foreach(schema, key, sub) {
		if (strcmp(key, "default") != 0 && strcmp(key, "examples") != 0 && arrays_have_items(c, sub, depth + 1))
			return c->err;
	}
	return E_OK;
}

static enum err
read_schema(struct ctx *c, const struct contract *k, const char *key, json_object **out)
{
	const char *type = "";
	char why[256];
	size_t n;

	if (json_get_object(k->json, key, out) != JSON_OK)
		return fail(c, E_INVALID, "%s is missing", key);
	if (json_get_string(*out, "type", 0, 64, &type, &n) != JSON_OK || strcmp(type, "object") != 0)
		return fail(c, E_INVALID, "%s: type must be object", key);
	if (!schema_supported(*out, why, sizeof(why)))
		return fail(c, E_INVALID, "%s: %s", key, why);
	return arrays_have_items(c, *out, 0);
}

static enum err
read_schemas(struct ctx *c, struct contract *k)
{
	static const char *const refused[] = { "allOf", "anyOf", "oneOf", "not", "if", "$ref", NULL };
	json_object *list, *output;

	if (read_schema(c, k, "inputSchema", &k->input))
		return c->err;
	if (!json_object_object_get_ex(k->input, "properties", NULL))
		return fail(c, E_INVALID, "inputSchema: properties are missing");
	for (size_t i = 0; refused[i] != NULL; i++)
		if (json_object_object_get_ex(k->input, refused[i], NULL))
			return fail(c, E_INVALID, "inputSchema: %s at the root, which clients refuse", refused[i]);
	k->t->needs_args = json_object_object_get_ex(k->input, "required", &list) && json_object_array_length(list) > 0;
	return read_schema(c, k, "outputSchema", &output);
}

static enum err
read_work(struct ctx *c, const struct tool_file *file, struct contract *k)
{
	struct tool *t = k->t;
	json_object *v;

	t->in_transaction = true;
	t->sql = file->sql.text != NULL ? &file->sql : NULL;
	t->nparams = t->sql == NULL ? 0 : strstr(t->sql->text, "$2") != NULL ? 2 : strstr(t->sql->text, "$1") != NULL;
	if (t->nparams == 2 && !t->read_only)
		return fail(c, E_INVALID, "a statement that takes $2 runs for nobody, which a tool that writes must not");
	if (json_object_object_get_ex(k->json, "x-handler", &v)) {
		if (t->sql != NULL)
			return fail(c, E_INVALID, "x-handler and a statement: one of them");
		t->handler = json_object_is_type(v, json_type_string) ? handler_find(json_object_get_string(v)) : NULL;
		if (t->handler == NULL)
			return fail(c, E_INVALID, "x-handler \"%.60s\" is unknown", json_object_get_string(v));
	}
	if (t->sql == NULL && t->handler == NULL)
		return fail(c, E_INVALID, "neither a statement nor x-handler");
	if (json_object_object_get_ex(k->json, "x-transaction", &v)) {
		if (t->handler == NULL || !json_object_is_type(v, json_type_string) || strcmp(json_object_get_string(v), "none") != 0)
			return fail(c, E_INVALID, "x-transaction may only be \"none\", with x-handler");
		t->in_transaction = false;
	}
	return E_OK;
}

/* x-rest's one pair of the query, "action=search". */
static enum err
read_query(struct ctx *c, json_object *query, const char **out)
{
	*out = NULL;
	json_object_object_foreach(query, key, v) {
		if (*out != NULL || !json_object_is_type(v, json_type_string))
			return fail(c, E_INVALID, "x-rest: query must be one pair of texts");
		*out = arena_printf(c->a, "%s=%s", key, json_object_get_string(v));
	}
	return E_OK;
}

static enum err
read_rest(struct ctx *c, struct contract *k)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", NULL };
	static const char *const members[] = { "method", "path", "query", "summary", NULL };
	struct tool_rest *rest = &k->t->rest;
	json_object *o, *query;

	switch (json_get_object(k->json, "x-rest", &o)) {
	case JSON_ABSENT:
		return E_OK;
	case JSON_OK:
		break;
	default:
		return fail(c, E_INVALID, "x-rest must be an object");
	}
	json_object_object_foreach(o, key, v) {
		if (in_list(members, key) == NULL || !json_object_is_type(v, strcmp(key, "query") == 0 ? json_type_object : json_type_string))
			return fail(c, E_INVALID, "x-rest: %s is unknown or of a wrong type", key);
	}
	if (text(c, o, "method", &rest->method) || text(c, o, "path", &rest->path))
		return c->err;
	if (in_list(methods, rest->method) == NULL || rest->path[0] != '/')
		return fail(c, E_INVALID, "x-rest: method or path is not valid");
	if (strcmp(rest->method, "GET") == 0 && !k->t->read_only)
		return fail(c, E_INVALID, "x-rest: GET for a tool that is not read-only");
	return json_get_object(o, "query", &query) == JSON_OK ? read_query(c, query, &rest->query) : E_OK;
}

static enum err
read_aliases(struct ctx *c, struct contract *k)
{
	struct tool *t = k->t;
	json_object *list;
	const char **names;
	size_t n;

	switch (json_get_array(k->json, "x-aliases", &list)) {
	case JSON_ABSENT:
		list = NULL;
		break;
	case JSON_OK:
		break;
	default:
		return fail(c, E_INVALID, "x-aliases must be an array");
	}
	n = list != NULL ? json_object_array_length(list) : 0;
	names = arena_zalloc(c->a, n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		json_object *v = json_object_array_get_idx(list, i);

		if (!json_object_is_type(v, json_type_string) || !name_ok(json_object_get_string(v)))
			return fail(c, E_INVALID, "x-aliases: names must be 1 to %d of [a-z0-9_]", NAME_MAX_SZ);
		names[i] = json_object_get_string(v);
	}
	t->aliases = names;
	return E_OK;
}

static enum err
add_listing(struct ctx *c, const struct tool *t, struct tool_listing *l, const char *server, const char *name)
{
	l->server = in_list(tool_servers, server);
	if (l->server == NULL)
		return fail(c, E_INVALID, "x-servers: there is no server \"%.60s\"", server);
	if (strcmp(name, t->name) != 0 && in_list(t->aliases, name) == NULL)
		return fail(c, E_INVALID, "x-servers: \"%.60s\" is not among x-aliases", name);
	l->name = name;
	return E_OK;
}

static enum err
read_servers(struct ctx *c, struct contract *k)
{
	struct tool *t = k->t;
	struct tool_listing *l;
	json_object *list;
	size_t n;

	if (json_get_array(k->json, "x-servers", &list) != JSON_OK)
		return fail(c, E_INVALID, "x-servers is missing");
	n = json_object_array_length(list);
	l = arena_zalloc(c->a, n + 1, sizeof(*l));
	for (size_t i = 0; i < n; i++) {
		json_object *v = json_object_array_get_idx(list, i);

		if (json_object_is_type(v, json_type_string)) {
			if (add_listing(c, t, &l[i], json_object_get_string(v), t->name))
				return c->err;
		} else if (json_object_is_type(v, json_type_object) && json_object_object_length(v) == 1) {
			json_object_object_foreach(v, server, alias) {
				if (add_listing(c, t, &l[i], server, json_object_get_string(alias)))
					return c->err;
			}
		} else {
			return fail(c, E_INVALID, "x-servers: a name or {\"server\": \"alias\"}");
		}
		for (size_t j = 0; j < i; j++)
			if (l[j].server == l[i].server)
				return fail(c, E_INVALID, "x-servers: \"%s\" twice", l[i].server);
	}
	t->listings = l;
	return E_OK;
}

static enum err
read_kind(struct ctx *c, struct contract *k)
{
	struct tool *t = k->t;
	static const char *const by_server[][2] = {
		{ "catalog", "SEARCH" }, { "orders", "CHAT" }, { "support", "CHAT" }, { "storefront", "CHAT" }, { "intent", "CHAT" },
		{ "notifications", "CHAT" },
	};
	json_object *v;

	t->kind = "ANALYTICS";
	for (size_t i = 0; i < sizeof(by_server) / sizeof(by_server[0]); i++)
		if (strcmp(t->server, by_server[i][0]) == 0)
			t->kind = by_server[i][1];
	if (!json_object_object_get_ex(k->json, "x-interaction", &v))
		return E_OK;
	t->kind = json_object_is_type(v, json_type_string) ? in_list(kinds, json_object_get_string(v)) : NULL;
	return t->kind != NULL ? E_OK : fail(c, E_INVALID, "x-interaction is not a type of interaction");
}

/* The question before the work is done; what it repeats of the arguments has to be there. */
static enum err
read_confirm(struct ctx *c, struct contract *k)
{
	struct tool *t = k->t;
	json_object *properties, *property;
	const char *type = "";
	size_t n;

	if (!json_object_object_get_ex(k->json, "x-confirm", NULL))
		return E_OK;
	if (text(c, k->json, "x-confirm", &t->confirm))
		return c->err;
	if (t->read_only)
		return fail(c, E_INVALID, "x-confirm for a tool that is read-only");
	if (json_get_object(k->input, "properties", &properties) != JSON_OK ||
	    json_get_object(properties, "confirm", &property) != JSON_OK ||
	    json_get_string(property, "type", 0, 16, &type, &n) != JSON_OK || strcmp(type, "string") != 0)
		return fail(c, E_INVALID, "x-confirm: inputSchema has no text \"confirm\"");
	for (const char *p = t->confirm; (p = strchr(p, '{')) != NULL; p++) {
		const char *name = arena_strndup(c->a, p + 1, strcspn(p + 1, "}"));

		if (!json_object_object_get_ex(properties, name, NULL))
			return fail(c, E_INVALID, "x-confirm: there is no argument \"%.60s\"", name);
	}
	return E_OK;
}

/* Arguments that hold signed handles have to be there, optional and long enough. */
static enum err
read_handles(struct ctx *c, struct contract *k)
{
	struct tool *t = k->t;
	json_object *list, *properties, *property, *max;
	const char *type = "";
	size_t n;

	switch (json_get_array(k->json, "x-handles", &list)) {
	case JSON_ABSENT:
		return E_OK;
	case JSON_OK:
		break;
	default:
		return fail(c, E_INVALID, "x-handles must be an array");
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));
		unsigned handle = name != NULL ? handle_named(name) : 0;

		if (handle == 0)
			return fail(c, E_INVALID, "x-handles: there is no handle \"%.60s\"", name != NULL ? name : "null");
		if (json_get_object(k->input, "properties", &properties) != JSON_OK ||
		    json_get_object(properties, name, &property) != JSON_OK ||
		    json_get_string(property, "type", 0, 16, &type, &n) != JSON_OK || strcmp(type, "string") != 0 ||
		    !json_object_object_get_ex(property, "maxLength", &max) || json_object_get_int(max) != SIGNED_MAX - 1)
			return fail(c, E_INVALID, "x-handles: inputSchema has no text \"%s\" with maxLength %d", name, SIGNED_MAX - 1);
		if (schema_requires(k->input, name))
			return fail(c, E_INVALID, "x-handles: %s must not be required: it is taken away", name);
		t->handles |= handle;
	}
	if (t->handles != 0 && t->nparams == 2)
		return fail(c, E_INVALID, "x-handles: a statement that takes $2 runs for nobody");
	return E_OK;
}

static enum err
read_open(struct ctx *c, struct contract *k)
{
	json_object *v;

	if (!json_object_object_get_ex(k->json, "x-open", &v))
		return E_OK;
	if (!json_object_is_type(v, json_type_boolean) || strcmp(k->t->scope, "none") == 0)
		return fail(c, E_INVALID, "x-open must be true or false, with a scope");
	k->t->open = json_object_get_boolean(v);
	return E_OK;
}

static void
put_members(struct buf *b, const struct contract *k, const char *const *members)
{
	json_object *v;

	for (; *members != NULL; members++) {
		size_t start;

		if (!json_object_object_get_ex(k->json, *members, &v))
			continue;
		buf_printf(b, "%s\"%s\":", b->n > 1 ? "," : "", *members);
		start = b->n;
		buf_puts(b, json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		if (strcmp(*members, "inputSchema") == 0)
			k->t->input = (struct tool_text){ start, b->n - start };
		if (strcmp(*members, "outputSchema") == 0)
			k->t->output = (struct tool_text){ start, b->n - start };
	}
}

/* The contract as one line, its members in the order in which they are listed, and where in it is what is needed later. */
static void
write_text(struct ctx *c, const struct contract *k)
{
	struct tool *t = k->t;
	struct buf b;

	buf_init(&b, c->a, 4096, 2 * TEXT_MAX);
	buf_putc(&b, '{');
	put_members(&b, k, (const char *const[]){ "name", NULL });
	t->entry.at = b.n;
	put_members(&b, k, mcp_members);
	t->entry.n = b.n - t->entry.at;
	put_members(&b, k, own_members);
	buf_putc(&b, '}');
	t->text = b.p;
}

enum err
contract_read(struct ctx *c, const struct tool_file *file, struct tool *t)
{
	struct contract contract = { .t = t }, *k = &contract;

	*t = (struct tool){ .schema = arena_zalloc(c->a, 1, sizeof(json_object *)) };
	if (strlen(file->json) > TEXT_MAX)
		return fail(c, E_INVALID, "is longer than %d bytes", TEXT_MAX);
	if (json_parse(c, file->json, strlen(file->json), &k->json))
		return c->err;
	if (!json_object_is_type(k->json, json_type_object))
		return fail(c, E_INVALID, "a contract must be an object");
	if (read_names(c, file, k) || read_limits(c, k) || read_schemas(c, k) || read_work(c, file, k) || read_rest(c, k) ||
	    read_aliases(c, k) || read_handles(c, k) || read_open(c, k) || read_servers(c, k) || read_kind(c, k) || read_confirm(c, k))
		return c->err;
	if (json_object_object_get_ex(k->json, "x-app", NULL) && text(c, k->json, "x-app", &t->app))
		return c->err;
	write_text(c, k);
	return E_OK;
}
