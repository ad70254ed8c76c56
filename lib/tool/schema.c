/* From a schema's JSON to nodes that are quick to walk.  A keyword that is not in the table below stops the compilation. */
#include "tool/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "tool/schema_node.h"

#define SCHEMA_MEMORY_MAX (1u << 20)
#define UNIQUE_ITEMS_MAX 1000

bool
schema_refuse(struct schema_compiler *k, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (k->why != NULL && k->whysz > 0)
		(void)snprintf(k->why, k->whysz, "%s: %s", k->pathsz ? k->path : "schema", text);
	return false;
}

static const struct {
	const char *name;
	unsigned type;
} types[] = {
	{ "null", T_NULL }, { "boolean", T_BOOLEAN }, { "object", T_OBJECT }, { "array", T_ARRAY },
	{ "number", T_NUMBER }, { "integer", T_INTEGER }, { "string", T_STRING },
};

static bool
add_type(struct schema_compiler *k, struct schema *s, json_object *v)
{
	const char *name = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0) {
			s->types |= types[i].type;
			return true;
		}
	return schema_refuse(k, "type: unknown type \"%s\"", name);
}

static bool
key_type(struct schema_compiler *k, struct schema *s, json_object *v)
{
	if (!json_object_is_type(v, json_type_array))
		return add_type(k, s, v);
	if (json_object_array_length(v) == 0)
		return schema_refuse(k, "type: an empty list");
	for (size_t i = 0; i < json_object_array_length(v); i++)
		if (!add_type(k, s, json_object_array_get_idx(v, i)))
			return false;
	return true;
}

/* A member of properties, made on demand because required may come first. */
static struct schema_prop *
prop_find(struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->nprops; i++)
		if (strcmp(s->props[i].name, name) == 0)
			return &s->props[i];
	return NULL;
}

static bool
key_properties(struct schema_compiler *k, struct schema *s, json_object *v)
{
	if (!json_object_is_type(v, json_type_object))
		return schema_refuse(k, "properties: must be an object");
	s->props = arena_zalloc(k->a, (size_t)json_object_object_length(v) + 1, sizeof(*s->props));
	json_object_object_foreach(v, name, sub) {
		struct schema_prop *p = &s->props[s->nprops];

		p->name = name;
		p->schema = schema_compile(k, sub, name);
		if (p->schema == NULL)
			return false;
		if (json_object_is_type(sub, json_type_object) && json_object_object_get_ex(sub, "default", &p->def) && p->def == NULL)
			return schema_refuse(k, "%s: a default of null is not implemented", name);
		s->nprops++;
	}
	return true;
}

/* Runs after the other keywords, so that the properties are there. */
static bool
key_required(struct schema_compiler *k, struct schema *s, json_object *v)
{
	if (!json_object_is_type(v, json_type_array))
		return schema_refuse(k, "required: must be an array");
	s->required = arena_zalloc(k->a, json_object_array_length(v) + 1, sizeof(*s->required));
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		json_object *e = json_object_array_get_idx(v, i);
		struct schema_prop *p;

		if (!json_object_is_type(e, json_type_string))
			return schema_refuse(k, "required: must hold strings");
		p = prop_find(s, json_object_get_string(e));
		if (p != NULL)
			p->required = true;
		else
			s->required[s->nrequired++] = json_object_get_string(e);
	}
	return true;
}

static bool
key_additional(struct schema_compiler *k, struct schema *s, json_object *v)
{
	s->additional = schema_compile(k, v, "additionalProperties");
	return s->additional != NULL;
}

static bool
key_items(struct schema_compiler *k, struct schema *s, json_object *v)
{
	s->items = schema_compile(k, v, "items");
	return s->items != NULL;
}

static bool
key_enum(struct schema_compiler *k, struct schema *s, json_object *v)
{
	if (!json_object_is_type(v, json_type_array) || json_object_array_length(v) == 0)
		return schema_refuse(k, "enum: must be an array that is not empty");
	s->values = v;
	return true;
}

static bool
key_const(struct schema_compiler *k, struct schema *s, json_object *v)
{
	(void)k;
	s->has_const = true;
	s->constant = v;
	return true;
}

static bool
key_unique(struct schema_compiler *k, struct schema *s, json_object *v)
{
	if (!json_object_is_type(v, json_type_boolean))
		return schema_refuse(k, "uniqueItems: must be true or false");
	s->unique = json_object_get_boolean(v);
	return true;
}

static bool
key_format(struct schema_compiler *k, struct schema *s, json_object *v)
{
	s->format = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
	return format_known(s->format) || schema_refuse(k, "format \"%s\" is not implemented", s->format);
}

static const struct {
	const char *name;
	bool (*compile)(struct schema_compiler *k, struct schema *s, json_object *v);
} keywords[] = {
	{ "type", key_type }, { "properties", key_properties }, { "additionalProperties", key_additional }, { "items", key_items },
	{ "enum", key_enum }, { "const", key_const }, { "uniqueItems", key_unique }, { "format", key_format },
};

static const char *const limits[L__MAX] = {
	[L_MINIMUM] = "minimum", [L_MAXIMUM] = "maximum", [L_EXCLUSIVE_MINIMUM] = "exclusiveMinimum",
	[L_EXCLUSIVE_MAXIMUM] = "exclusiveMaximum", [L_MULTIPLE_OF] = "multipleOf", [L_MIN_LENGTH] = "minLength",
	[L_MAX_LENGTH] = "maxLength", [L_MIN_ITEMS] = "minItems", [L_MAX_ITEMS] = "maxItems",
	[L_MIN_PROPERTIES] = "minProperties", [L_MAX_PROPERTIES] = "maxProperties",
};

static const char *const annotations[] = {
	"title", "description", "examples", "deprecated", "default", "readOnly", "writeOnly", "$schema", "$comment", "required",
};

static bool
compile_limit(struct schema_compiler *k, struct schema *s, size_t which, json_object *v)
{
	struct schema_number n;

	if (!schema_number_of(v, &n) || (!n.is_int && which > L_MULTIPLE_OF))
		return schema_refuse(k, "%s: must be %s", limits[which], which <= L_MULTIPLE_OF ? "a number" : "an integer");
	if ((which > L_MULTIPLE_OF && n.i < 0) || (which == L_MULTIPLE_OF && n.d <= 0))
		return schema_refuse(k, "%s: is too small", limits[which]);
	s->limit[which] = n;
	s->limits |= 1u << which;
	return true;
}

static bool
compile_keyword(struct schema_compiler *k, struct schema *s, const char *key, json_object *v)
{
	bool known = false, ok;

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strcmp(keywords[i].name, key) == 0)
			return keywords[i].compile(k, s, v);
	for (size_t i = 0; i < L__MAX; i++)
		if (strcmp(limits[i], key) == 0)
			return compile_limit(k, s, i, v);
	if (strncmp(key, "x-", 2) == 0)
		return true;
	for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++)
		if (strcmp(annotations[i], key) == 0)
			return true;
	ok = compound_keyword(k, s, key, v, &known);
	return known ? ok : schema_refuse(k, "keyword \"%s\" is not implemented", key);
}

static bool
compile_node(struct schema_compiler *k, struct schema *s, json_object *json)
{
	json_object *required;

	if (json_object_is_type(json, json_type_boolean)) {
		s->never = !json_object_get_boolean(json);
		return true;
	}
	if (!json_object_is_type(json, json_type_object))
		return schema_refuse(k, "must be an object, true or false");
	json_object_object_foreach(json, key, v) {
		if (!compile_keyword(k, s, key, v))
			return false;
	}
	if (json_object_object_get_ex(json, "required", &required) && !key_required(k, s, required))
		return false;
	if (s->unique && (!(s->limits & (1u << L_MAX_ITEMS)) || s->limit[L_MAX_ITEMS].i > UNIQUE_ITEMS_MAX))
		return schema_refuse(k, "uniqueItems: needs maxItems of at most %d", UNIQUE_ITEMS_MAX);
	return true;
}

struct schema *
schema_compile(struct schema_compiler *k, json_object *json, const char *step)
{
	size_t pathsz = k->pathsz;
	struct schema_seen *seen;

	for (seen = k->seen; seen != NULL; seen = seen->next)
		if (seen->json == json)
			return seen->node;
	if (k->depth >= SCHEMA_DEPTH_MAX) {
		(void)schema_refuse(k, "is nested too deeply");
		return NULL;
	}
	seen = arena_zalloc(k->a, 1, sizeof(*seen));
	seen->json = json;
	seen->node = arena_zalloc(k->a, 1, sizeof(*seen->node));
	seen->next = k->seen;
	k->seen = seen;
	if (step[0] != '\0') {
		(void)snprintf(k->path + pathsz, sizeof(k->path) - pathsz, "%s%s", pathsz ? "." : "", step);
		k->pathsz = strlen(k->path);
	}
	k->depth++;
	if (!compile_node(k, seen->node, json))
		return NULL;
	k->depth--;
	k->pathsz = pathsz;
	k->path[pathsz] = '\0';
	return seen->node;
}

/* What a root schema's json_object carries. */
struct compiled {
	struct arena arena;
	struct schema_compiler compiler;
	struct schema *root;
};

static void
compiled_free(json_object *json, void *p)
{
	struct compiled *m = p;

	(void)json;
	compound_release(&m->compiler);
	arena_release(&m->arena);
	free(m);
}

static struct schema *
compiled_root(json_object *schema, char *why, size_t whysz)
{
	struct compiled *m = json_object_get_userdata(schema);

	if (m != NULL)
		return m->root;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		abort();
	arena_init(&m->arena, SCHEMA_MEMORY_MAX);
	m->compiler = (struct schema_compiler){ .root = schema, .a = &m->arena, .why = why, .whysz = whysz };
	m->root = schema_compile(&m->compiler, schema, "");
	m->compiler.why = NULL;
	if (m->root == NULL) {
		compiled_free(NULL, m);
		return NULL;
	}
	json_object_set_userdata(schema, m, compiled_free);
	return m->root;
}

bool
schema_supported(json_object *schema, char *why, size_t whysz)
{
	if (!json_object_is_type(schema, json_type_object)) {
		(void)snprintf(why, whysz, "schema: must be an object");
		return false;
	}
	return compiled_root(schema, why, whysz) != NULL;
}

enum err
schema_check(struct ctx *c, json_object *schema, json_object *v, bool fill)
{
	struct schema_run run = { .c = c, .fill = fill };
	char why[256] = "";
	const struct schema *root = compiled_root(schema, why, sizeof(why));
	json_object *was = v;
	bool ok;

	if (root == NULL)
		return fail(c, E_INTERNAL, NULL);
	ok = schema_valid(&run, root, &v, NULL);
	if (v != was)
		json_object_put(v);
	if (ok)
		return E_OK;
	return c->err == E_OK ? fail(c, E_INVALID, "arguments: are not valid") : c->err;
}

bool
schema_requires(json_object *schema, const char *name)
{
	json_object *list;

	if (!json_object_object_get_ex(schema, "required", &list))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), name) == 0)
			return true;
	return false;
}
