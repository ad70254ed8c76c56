/* Parsing behind the gate, duplicate members, typed getters, text; see json.h. */
#include "core/failstop.h"
#include "core/json.h"
#include "core/utf8.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#define NAME_SHOWN 60	/* bytes of a member's name in a message */

static void
put_object(void *o)
{
	(void)json_object_put(o);
}

static struct json_tokener *
tokener(void)
{
	static struct json_tokener *tok;

	if (tok == NULL) {
		/* json-c counts one level more than the brackets when the innermost value is a scalar. */
		tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
		if (tok == NULL)
			failstop("out of memory");
		/* No JSON_TOKENER_STRICT: json-c 0.18 then refuses every character beyond ASCII. The gate is stricter, and comes first. */
	}
	json_tokener_reset(tok);
	return tok;
}

/* Parse n bytes with json-c; false when it refuses what the gate let pass.  A JSON null is a NULL object. */
static bool
parse(const char *p, int n, json_object **out)
{
	struct json_tokener *tok = tokener();

	*out = json_tokener_parse_ex(tok, p, n);
	/* A number at the top ends only where something else begins. */
	if (json_tokener_get_error(tok) == json_tokener_continue)
		*out = json_tokener_parse_ex(tok, "", 1);
	if (json_tokener_get_error(tok) == json_tokener_success)
		return true;
	(void)json_object_put(*out);
	*out = NULL;
	return false;
}

/* Members of all objects in o; the depth is bounded by the gate. */
static size_t
count_members(json_object *o)	/* NOLINT(misc-no-recursion) */
{
	size_t sum = 0;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0, n = json_object_array_length(o); i < n; i++)
			sum += count_members(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		sum = (size_t)json_object_object_length(o);
		for (struct lh_entry *e = json_object_get_object(o)->head; e != NULL; e = e->next)
			sum += count_members((json_object *)lh_entry_v(e));
	}
	return sum;
}

/* The position behind the string that begins at p[i], in text that passed the gate. */
static size_t
string_end(const char *p, size_t i)
{
	for (i++; p[i] != '"'; i++)
		if (p[i] == '\\')
			i++;
	return i + 1;
}

/* Is the string that ends before p[i] a member's name? */
static bool
colon_follows(const char *p, size_t i, size_t n)
{
	while (i < n && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t'))
		i++;
	return i < n && p[i] == ':';
}

/* Note the name, a JSON string of n bytes at p, in the set of its object; when it is there already, *twice becomes the decoded name. */
static void
note_name(struct ctx *c, json_object *set, const char *p, size_t n, const char **twice)
{
	json_object *s;
	const char *name;

	if (!parse(p, (int)n, &s))
		return;
	name = json_object_get_string(s);
	if (json_object_object_get_ex(set, name, NULL))
		*twice = arena_strdup(c->a, name);
	else
		(void)json_object_object_add(set, name, NULL);
	(void)json_object_put(s);
}

/* Only after duplicates were found: where and which is the first? */
static enum err
fail_duplicate(struct ctx *c, const char *p, size_t n)
{
	json_object *sets[JSON_DEPTH_MAX + 1] = { NULL };
	const char *name = NULL;
	unsigned depth = 0;

	for (size_t i = 0, end; i < n; i = end) {
		end = i + 1;
		if (p[i] == '[' || p[i] == '{') {
			sets[depth] = json_object_new_object();
			arena_defer(c->a, put_object, sets[depth++]);
		} else if (p[i] == ']' || p[i] == '}') {
			depth--;
		} else if (p[i] == '"') {
			end = string_end(p, i);
			if (depth > 0 && colon_follows(p, end, n))
				note_name(c, sets[depth - 1], p + i, end - i, &name);
			if (name != NULL)
				return fail(c, E_INVALID, "JSON: duplicate member \"%.*s\" at byte %zu",
					(int)utf8_cut(name, strlen(name), NAME_SHOWN), name, i);
		}
	}
	return fail(c, E_INVALID, "JSON: duplicate member");
}

enum err
json_parse(struct ctx *c, const char *p, size_t n, json_object **out)
{
	struct json_fault fault;
	size_t members;
	json_object *o;

	*out = NULL;
	if (n > INT_MAX - 1)
		return fail(c, E_TOO_LARGE, "JSON: text too long");
	if (!json_gate(p, n, &members, &fault))
		return fail(c, fault.is_json ? E_INVALID : E_MALFORMED, "JSON: byte %zu: %s", fault.offset, fault.reason);
	if (!parse(p, (int)n, &o))
		return fail(c, E_MALFORMED, "JSON: not accepted");
	arena_defer(c->a, put_object, o);
	if (members > 1 && count_members(o) != members)
		return fail_duplicate(c, p, n);
	*out = o;
	return E_OK;
}

/* The member, when it is there and neither null nor of another type. */
static enum json_got
member(json_object *o, const char *key, json_type type, json_object **v)
{
	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, v))
		return JSON_ABSENT;
	if (*v == NULL)
		return JSON_NULL;
	return json_object_is_type(*v, type) ? JSON_OK : JSON_TYPE;
}

enum json_got
json_get_int(json_object *o, const char *key, int64_t lo, int64_t hi, int64_t *out)
{
	json_object *v;
	enum json_got got = member(o, key, json_type_int, &v);
	int64_t n;

	if (got != JSON_OK)
		return got;
	n = json_object_get_int64(v);
	if (n < lo || n > hi)
		return JSON_RANGE;
	*out = n;
	return JSON_OK;
}

enum json_got
json_get_double(json_object *o, const char *key, double lo, double hi, double *out)
{
	json_object *v;
	enum json_got got = member(o, key, json_type_double, &v);
	double d;

	if (got == JSON_TYPE && json_object_is_type(v, json_type_int))
		got = JSON_OK;
	if (got != JSON_OK)
		return got;
	d = json_object_get_double(v);
	/* 57 digits with e300 pass the gate and become infinite here. */
	if (!isfinite(d) || d < lo || d > hi)
		return JSON_RANGE;
	*out = d;
	return JSON_OK;
}

enum json_got
json_get_bool(json_object *o, const char *key, bool *out)
{
	json_object *v;
	enum json_got got = member(o, key, json_type_boolean, &v);

	if (got == JSON_OK)
		*out = json_object_get_boolean(v);
	return got;
}

enum json_got
json_get_string(json_object *o, const char *key, size_t minsz, size_t maxsz, const char **out, size_t *outsz)
{
	json_object *v;
	enum json_got got = member(o, key, json_type_string, &v);
	size_t n;

	if (got != JSON_OK)
		return got;
	n = (size_t)json_object_get_string_len(v);
	if (n < minsz || n > maxsz)
		return JSON_RANGE;
	*out = json_object_get_string(v);
	if (outsz != NULL)
		*outsz = n;
	return JSON_OK;
}

enum json_got
json_get_object(json_object *o, const char *key, json_object **out)
{
	json_object *v;
	enum json_got got = member(o, key, json_type_object, &v);

	if (got == JSON_OK)
		*out = v;
	return got;
}

enum json_got
json_get_array(json_object *o, const char *key, json_object **out)
{
	json_object *v;
	enum json_got got = member(o, key, json_type_array, &v);

	if (got == JSON_OK)
		*out = v;
	return got;
}

const char *
json_text(struct ctx *c, json_object *o, size_t *n)
{
	size_t len;
	const char *s = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (s == NULL)
		failstop("out of memory");
	if (n != NULL)
		*n = len;
	return arena_strndup(c->a, s, len);
}
