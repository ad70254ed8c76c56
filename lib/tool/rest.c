#include "tool/rest.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "web/route.h"

#define LIST_MAX 1000	/* items of one comma-separated value */

static void
release_object(void *o)
{
	json_object_put(o);
}

/* The "type" of a schema when it is one name, "" otherwise. */
static const char *
type_of(json_object *schema)
{
	const char *type;
	size_t n;

	return json_get_string(schema, "type", 0, 64, &type, &n) == JSON_OK ? type : "";
}

/* A number in JSON's notation; NULL for anything else. */
static json_object *
number(const char *text, size_t n)
{
	struct json_fault fault;
	double d;

	if (n == 0 || strchr("-0123456789", text[0]) == NULL || !json_gate(text, n, NULL, &fault))
		return NULL;
	if (strpbrk(text, ".eE") == NULL) {
		errno = 0;
		return json_object_new_int64(strtoll(text, NULL, 10));
	}
	d = strtod(text, NULL);
	return isfinite(d) ? json_object_new_double_s(d, text) : NULL;
}

static json_object *
scalar(const char *type, const char *text, size_t n)
{
	json_object *v = NULL;

	if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)
		v = number(text, n);
	else if (strcmp(type, "boolean") == 0 && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0))
		v = json_object_new_boolean(1);
	else if (strcmp(type, "boolean") == 0 && (strcmp(text, "false") == 0 || strcmp(text, "0") == 0))
		v = json_object_new_boolean(0);
	return v != NULL ? v : json_object_new_string_len(text, (int)n);
}

/* Add the comma-separated items of text to list. */
static enum err
add_items(struct ctx *c, const char *name, json_object *list, const char *type, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (json_object_array_length(list) >= LIST_MAX)
			return fail(c, E_INVALID, "%.60s: must have at most %d items", name, LIST_MAX);
		(void)json_object_array_add(list, scalar(type, arena_strndup(c->a, text, n), n));
		text += n + (text[n] == ',');
	}
	return E_OK;
}

static enum err
add_value(struct ctx *c, json_object *args, json_object *props, const char *name, const char *value, size_t n, const char *what)
{
	json_object *schema = NULL, *items = NULL, *have = NULL;

	if (!json_object_object_get_ex(props, name, &schema))
		return fail(c, E_INVALID, "unknown %s: %.60s", what, name);
	(void)json_object_object_get_ex(args, name, &have);
	if (strcmp(type_of(schema), "array") != 0) {
		if (have != NULL)
			return fail(c, E_INVALID, "%.60s: given twice", name);
		(void)json_object_object_add(args, name, scalar(type_of(schema), value, n));
		return E_OK;
	}
	if (have == NULL) {
		have = json_object_new_array();
		(void)json_object_object_add(args, name, have);
	}
	(void)json_object_object_get_ex(schema, "items", &items);
	return add_items(c, name, have, type_of(items), value);
}

/* The parameter that chose the route ("action" in "action=products") is not the tool's. */
static bool
chose_route(const struct route *t, const char *name)
{
	size_t n = strlen(name);

	return t != NULL && t->query != NULL && strncmp(t->query, name, n) == 0 && t->query[n] == '=';
}

static enum err
add_query(struct req *r, json_object *args, json_object *props)
{
	bool chosen = false;

	for (size_t i = 0; i < r->nparams; i++) {
		const struct pair *p = &r->params[i];

		if (chose_route(r->route, p->name)) {
			if (chosen)
				return fail(&r->c, E_INVALID, "%.60s: given twice", p->name);
			chosen = true;
		} else if (add_value(&r->c, args, props, p->name, p->value, p->valuesz, "parameter")) {
			return r->c.err;
		}
	}
	return E_OK;
}

static enum err
add_path(struct req *r, json_object *args, json_object *props)
{
	const char *open = r->route != NULL ? strchr(r->route->path, '{') : NULL, *name, *value;

	if (open == NULL)
		return E_OK;
	name = arena_strndup(r->c.a, open + 1, strcspn(open + 1, "}"));
	value = req_var(r, name);
	return value != NULL ? add_value(&r->c, args, props, name, value, strlen(value), "path variable") : E_OK;
}

enum err
rest_args(struct req *r, json_object *input_schema, json_object **args)
{
	json_object *props = NULL;

	(void)json_object_object_get_ex(input_schema, "properties", &props);
	if (r->json != NULL && !json_object_is_type(r->json, json_type_object))
		return fail(&r->c, E_INVALID, "body: must be an object");
	*args = r->json;
	if (*args == NULL) {
		*args = json_object_new_object();
		arena_defer(r->c.a, release_object, *args);
	}
	if (add_path(r, *args, props))
		return r->c.err;
	return add_query(r, *args, props);
}

enum err
tool_rest(struct req *r, const char *tool_name)
{
	const struct tool *t = tool_find(tool_name);
	struct tool_call call = {
		.name = tool_name,
		.who = &r->who,
		.locale = r->locale,
		.via = VIA_REST,
		.idempotency_key = req_header(r, "Idempotency-Key"),
		.remote_ip = r->remote_ip,
	};
	enum err e;

	if (t == NULL)
		return fail(&r->c, E_NOT_FOUND, "unknown tool: %s", tool_name);
	call.refused = rest_args(r, tool_schema(t), &call.args);
	e = tool_call(&r->c, &call);
	r->rate = call.rate;
	r->rated = true;
	if (e != E_OK)
		return e;
	if (call.replayed)
		res_header(r, "Idempotency-Replayed", "true");
	return res_json(r, call.json, call.n);
}
