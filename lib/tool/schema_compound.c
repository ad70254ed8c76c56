/*
 * allOf, anyOf, oneOf, not, if/then/else, $ref, $defs, $anchor and pattern.  Our own contracts use none of them at their root, because clients
 * refuse such tools; the fixtures of the protocol tests do.
 */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "tool/schema.h"
#include "tool/schema_node.h"

static struct schema_compound *
compound_of(struct schema_compiler *k, struct schema *s)
{
	if (s->compound == NULL)
		s->compound = arena_zalloc(k->a, 1, sizeof(*s->compound));
	return s->compound;
}

static bool
compile_list(struct schema_compiler *k, struct schema_list *list, const char *key, json_object *v)
{
	if (!json_object_is_type(v, json_type_array) || json_object_array_length(v) == 0)
		return schema_refuse(k, "%s: must be an array that is not empty", key);
	list->v = arena_zalloc(k->a, json_object_array_length(v), sizeof(struct schema *));
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		list->v[i] = schema_compile(k, json_object_array_get_idx(v, i), key);
		if (list->v[i] == NULL)
			return false;
		list->n++;
	}
	return true;
}

static bool
compile_one(struct schema_compiler *k, struct schema **to, const char *key, json_object *v)
{
	*to = schema_compile(k, v, key);
	return *to != NULL;
}

/* Every definition is compiled, so that an unknown keyword in one nobody refers to is seen too. */
static bool
compile_definitions(struct schema_compiler *k, json_object *v)
{
	if (!json_object_is_type(v, json_type_object))
		return schema_refuse(k, "$defs: must be an object");
	json_object_object_foreach(v, name, sub) {
		if (schema_compile(k, sub, name) == NULL)
			return false;
	}
	return true;
}

/* One reference token of a JSON pointer (RFC 6901), ~0 and ~1 undone. */
static void
pointer_token(const char *p, size_t n, char *out, size_t outsz)
{
	size_t o = 0;

	for (size_t i = 0; i < n && o + 1 < outsz; i++) {
		out[o] = p[i];
		if (p[i] == '~' && i + 1 < n && (p[i + 1] == '0' || p[i + 1] == '1'))
			out[o] = p[++i] == '0' ? '~' : '/';
		o++;
	}
	out[o] = '\0';
}

static json_object *
find_pointer(json_object *json, const char *p)
{
	char token[128], *end;

	while (json != NULL && *p == '/') {
		size_t n = strcspn(p + 1, "/");

		pointer_token(p + 1, n, token, sizeof(token));
		p += 1 + n;
		if (json_object_is_type(json, json_type_array)) {
			unsigned long i = strtoul(token, &end, 10);

			json = *end == '\0' && end != token ? json_object_array_get_idx(json, i) : NULL;
		} else if (!json_object_object_get_ex(json, token, &json)) {
			return NULL;
		}
	}
	return *p == '\0' ? json : NULL;
}

static json_object *
find_anchor(json_object *json, const char *name, int depth)
{
	json_object *v, *found = NULL;

	if (depth > SCHEMA_DEPTH_MAX)
		return NULL;
	if (json_object_is_type(json, json_type_array)) {
		for (size_t i = 0; found == NULL && i < json_object_array_length(json); i++)
			found = find_anchor(json_object_array_get_idx(json, i), name, depth + 1);
		return found;
	}
	if (!json_object_is_type(json, json_type_object))
		return NULL;
	if (json_object_object_get_ex(json, "$anchor", &v) && json_object_is_type(v, json_type_string) &&
	    strcmp(json_object_get_string(v), name) == 0)
		return json;
	json_object_object_foreach(json, key, sub) {
		(void)key;
		if ((found = find_anchor(sub, name, depth + 1)) != NULL)
			break;
	}
	return found;
}

/* "#", "#/a/b" and "#anchor".  Nothing outside the document is ever fetched. */
static bool
compile_ref(struct schema_compiler *k, struct schema *s, json_object *v)
{
	const char *ref = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
	json_object *target;

	if (ref[0] != '#')
		return schema_refuse(k, "$ref: only references into the same schema are implemented");
	target = ref[1] == '\0' || ref[1] == '/' ? find_pointer(k->root, ref + 1) : find_anchor(k->root, ref + 1, 0);
	if (target == NULL)
		return schema_refuse(k, "$ref: nothing at \"%s\"", ref);
	return compile_one(k, &compound_of(k, s)->ref, "$ref", target);
}

/* ECMA classes and non-capturing groups as POSIX has them; false for what POSIX lacks. */
static bool
pattern_translate(const char *p, char *out, size_t outsz)
{
	bool bracket = false;
	size_t n = 0;

	for (; *p != '\0'; p++) {
		char one[3] = { *p, '\0', '\0' };
		const char *put = one;

		if (p[0] == '(' && p[1] == '?' && !bracket) {
			if (p[2] != ':')
				return false;
			p += 2;
		} else if (*p == '\\') {
			p++;
			if (*p == 'd')
				put = bracket ? "0-9" : "[0-9]";
			else if (*p == 'w')
				put = bracket ? "A-Za-z0-9_" : "[A-Za-z0-9_]";
			else if (*p == 's')
				put = bracket ? "[:space:]" : "[[:space:]]";
			else if (*p == '\0' || isalnum((unsigned char)*p) || bracket)
				return false;
			else
				one[1] = *p;
		} else if (*p == '[' || *p == ']') {
			bracket = *p == '[';
		}
		if (n + strlen(put) >= outsz)
			return false;
		memcpy(out + n, put, strlen(put) + 1);
		n += strlen(put);
	}
	return true;
}

static bool
compile_pattern(struct schema_compiler *k, struct schema *s, json_object *v)
{
	struct schema_compound *m = compound_of(k, s);
	char posix[512] = "";
	regex_t *re;

	m->pattern_text = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
	if (!pattern_translate(m->pattern_text, posix, sizeof(posix)))
		return schema_refuse(k, "pattern: \"%s\" has no POSIX form", m->pattern_text);
	re = arena_zalloc(k->a, 1, sizeof(*re));
	if (regcomp(re, posix, REG_EXTENDED | REG_NOSUB) != 0)
		return schema_refuse(k, "pattern: \"%s\" is not an expression", m->pattern_text);
	m->pattern = re;
	return true;
}

void
compound_release(struct schema_compiler *k)
{
	for (struct schema_seen *seen = k->seen; seen != NULL; seen = seen->next)
		if (seen->node->compound != NULL && seen->node->compound->pattern != NULL)
			regfree(seen->node->compound->pattern);
}

bool
compound_keyword(struct schema_compiler *k, struct schema *s, const char *key, json_object *v, bool *known)
{
	*known = true;
	if (strcmp(key, "$defs") == 0)
		return compile_definitions(k, v);
	if (strcmp(key, "$anchor") == 0)
		return true;
	if (strcmp(key, "$ref") == 0)
		return compile_ref(k, s, v);
	if (strcmp(key, "pattern") == 0)
		return compile_pattern(k, s, v);
	if (strcmp(key, "allOf") == 0)
		return compile_list(k, &compound_of(k, s)->all, key, v);
	if (strcmp(key, "anyOf") == 0)
		return compile_list(k, &compound_of(k, s)->any, key, v);
	if (strcmp(key, "oneOf") == 0)
		return compile_list(k, &compound_of(k, s)->one, key, v);
	if (strcmp(key, "not") == 0)
		return compile_one(k, &compound_of(k, s)->not_, key, v);
	if (strcmp(key, "if") == 0)
		return compile_one(k, &compound_of(k, s)->if_, key, v);
	if (strcmp(key, "then") == 0)
		return compile_one(k, &compound_of(k, s)->then_, key, v);
	if (strcmp(key, "else") == 0)
		return compile_one(k, &compound_of(k, s)->else_, key, v);
	*known = false;
	return false;
}

/* Only the outcome, without a message and without filling in. */
static bool
quietly_valid(const struct schema_run *run, const struct schema *s, json_object *v, const struct schema_at *at)
{
	struct schema_run quiet = { .c = run->c, .quiet = true, .depth = run->depth };

	return schema_valid(&quiet, s, &v, at);
}

static size_t
count_valid(const struct schema_run *run, const struct schema_list *list, json_object *v, const struct schema_at *at)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += quietly_valid(run, list->v[i], v, at);
	return n;
}

bool
compound_valid(struct schema_run *run, const struct schema *s, json_object **v, const struct schema_at *at)
{
	const struct schema_compound *m = s->compound;
	const struct schema *branch;

	if (m->pattern != NULL && json_object_is_type(*v, json_type_string) &&
	    regexec(m->pattern, json_object_get_string(*v), 0, NULL, 0) != 0)
		return schema_wrong(run, at, "must match %.200s", m->pattern_text);
	if (m->ref != NULL && !schema_valid(run, m->ref, v, at))
		return false;
	for (size_t i = 0; i < m->all.n; i++)
		if (!schema_valid(run, m->all.v[i], v, at))
			return false;
	if (m->any.n > 0 && count_valid(run, &m->any, *v, at) == 0)
		return schema_wrong(run, at, "has none of the allowed forms");
	if (m->one.n > 0 && count_valid(run, &m->one, *v, at) != 1)
		return schema_wrong(run, at, "must have exactly one of the allowed forms");
	if (m->not_ != NULL && quietly_valid(run, m->not_, *v, at))
		return schema_wrong(run, at, "has a form that is not allowed");
	if (m->if_ == NULL)
		return true;
	branch = quietly_valid(run, m->if_, *v, at) ? m->then_ : m->else_;
	return branch == NULL || schema_valid(run, branch, v, at);
}
