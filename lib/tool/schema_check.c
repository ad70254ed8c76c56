/* Walks a value along the nodes of a schema.  The first fault is told with the way to it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "tool/schema.h"
#include "tool/schema_node.h"

#define MESSAGE_MAX 512

static void
put_path(struct buf *b, const struct schema_at *at)
{
	if (at->up != NULL)
		put_path(b, at->up);
	if (at->name == NULL)
		buf_printf(b, "[%zu]", at->index);
	else
		buf_printf(b, "%s%.100s", at->up != NULL ? "." : "", at->name);
}

bool
schema_wrong(struct schema_run *run, const struct schema_at *at, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	struct buf b;
	va_list ap;

	if (run->quiet)
		return false;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, run->c->a, 128, 1 << 16);
	if (at == NULL)
		buf_puts(&b, "arguments");
	else
		put_path(&b, at);
	(void)fail(run->c, E_INVALID, "%s: %s", buf_str(&b), text);
	return false;
}

static bool
unknown_member(struct schema_run *run, const struct schema_at *at, const char *name)
{
	if (at != NULL)
		return schema_wrong(run, at, "unknown member: %.100s", name);
	if (!run->quiet)
		(void)fail(run->c, E_INVALID, "unknown argument: %.100s", name);
	return false;
}

bool
schema_number_of(json_object *v, struct schema_number *out)
{
	if (json_object_is_type(v, json_type_int)) {
		out->is_int = true;
		out->i = json_object_get_int64(v);
		out->d = (double)out->i;
	} else if (json_object_is_type(v, json_type_double)) {
		out->is_int = false;
		out->d = json_object_get_double(v);
		out->i = 0;
	} else {
		return false;
	}
	return true;
}

/* Below 0, 0 or above 0, as a is less than, equal to or more than b. */
static int
number_compare(const struct schema_number *a, const struct schema_number *b)
{
	if (a->is_int && b->is_int)
		return (a->i > b->i) - (a->i < b->i);
	return (a->d > b->d) - (a->d < b->d);
}

bool
schema_equal(json_object *a, json_object *b)
{
	struct schema_number x, y;

	if (schema_number_of(a, &x) && schema_number_of(b, &y))
		return number_compare(&x, &y) == 0;
	return json_object_equal(a, b);
}

static bool
type_wrong(struct schema_run *run, unsigned want, const struct schema_at *at)
{
	static const struct {
		unsigned type;
		const char *name;
	} names[] = {
		{ T_STRING, "a string" }, { T_INTEGER, "an integer" }, { T_NUMBER, "a number" }, { T_BOOLEAN, "true or false" },
		{ T_ARRAY, "an array" }, { T_OBJECT, "an object" }, { T_NULL, "null" },
	};
	char list[120] = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (want & names[i].type) {
			(void)snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? " or " : "", names[i].name);
			n = strlen(list);
		}
	return schema_wrong(run, at, "must be %s", list);
}

/* 5.0 counts as an integer; with fill it becomes one, because SQL casts are less forgiving. */
static bool
type_valid(struct schema_run *run, const struct schema *s, json_object **v, const struct schema_at *at)
{
	static const unsigned bit[] = {
		[json_type_null] = T_NULL, [json_type_boolean] = T_BOOLEAN, [json_type_double] = T_NUMBER, [json_type_int] = T_NUMBER | T_INTEGER,
		[json_type_object] = T_OBJECT, [json_type_array] = T_ARRAY, [json_type_string] = T_STRING,
	};
	double d;

	if (s->types == 0 || (s->types & bit[json_object_get_type(*v)]))
		return true;
	if (!(s->types & T_INTEGER) || !json_object_is_type(*v, json_type_double))
		return type_wrong(run, s->types, at);
	d = json_object_get_double(*v);
	if (!isfinite(d) || d != floor(d))
		return type_wrong(run, s->types, at);
	if (fabs(d) >= 9223372036854775808.0)
		return schema_wrong(run, at, "is too large");
	if (run->fill)
		*v = json_object_new_int64((int64_t)d);
	return true;
}

/* "50" or "0.5" for messages. */
static const char *
number_text(const struct schema_number *n, char out[48])
{
	if (n->is_int)
		(void)snprintf(out, 48, "%lld", (long long)n->i);
	else
		(void)snprintf(out, 48, "%.15g", n->d);
	return out;
}

/* Decimals such as 0.01 have no exact double: allow for the last bits. */
static bool
is_multiple(const struct schema_number *n, const struct schema_number *of)
{
	double q = n->d / of->d;

	if (n->is_int && of->is_int)
		return n->i % of->i == 0;
	return fabs(q - round(q)) <= 1e-9 * fmax(1, fabs(q));
}

static bool
number_valid(struct schema_run *run, const struct schema *s, json_object *v, const struct schema_at *at)
{
	static const struct {
		enum schema_limit limit;
		int lo, hi;		/* allowed outcomes of the comparison */
		const char *must;
	} tests[] = {
		{ L_MINIMUM, 0, 1, "at least" }, { L_MAXIMUM, -1, 0, "at most" }, { L_EXCLUSIVE_MINIMUM, 1, 1, "more than" },
		{ L_EXCLUSIVE_MAXIMUM, -1, -1, "less than" },
	};
	struct schema_number n;
	char text[48];

	if (!(s->limits & ((1u << L_MIN_LENGTH) - 1)) || !schema_number_of(v, &n))
		return true;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const struct schema_number *limit = &s->limit[tests[i].limit];
		int order;

		if (!(s->limits & (1u << tests[i].limit)))
			continue;
		order = number_compare(&n, limit);
		if (order < tests[i].lo || order > tests[i].hi)
			return schema_wrong(run, at, "must be %s %s", tests[i].must, number_text(limit, text));
	}
	if ((s->limits & (1u << L_MULTIPLE_OF)) && !is_multiple(&n, &s->limit[L_MULTIPLE_OF]))
		return schema_wrong(run, at, "must be a multiple of %s", number_text(&s->limit[L_MULTIPLE_OF], text));
	return true;
}

/* Compare a count with a pair of limits: "must have at least 2 characters". */
static bool
count_valid(struct schema_run *run, const struct schema *s, size_t lo, size_t hi, size_t n, const char *what, const struct schema_at *at)
{
	char text[48];

	if ((s->limits & (1u << lo)) && (int64_t)n < s->limit[lo].i)
		return schema_wrong(run, at, "must have at least %s %s", number_text(&s->limit[lo], text), what);
	if ((s->limits & (1u << hi)) && (int64_t)n > s->limit[hi].i)
		return schema_wrong(run, at, "must have at most %s %s", number_text(&s->limit[hi], text), what);
	return true;
}

static bool
string_valid(struct schema_run *run, const struct schema *s, json_object *v, const struct schema_at *at)
{
	const char *p = json_object_get_string(v);
	size_t n = (size_t)json_object_get_string_len(v);

	if ((s->limits & (1u << L_MIN_LENGTH | 1u << L_MAX_LENGTH)) &&
	    !count_valid(run, s, L_MIN_LENGTH, L_MAX_LENGTH, utf8_length(p, n), "characters", at))
		return false;
	if (s->format != NULL && !format_valid(s->format, p, n))
		return schema_wrong(run, at, "must be a valid %s", s->format);
	return true;
}

static bool
array_valid(struct schema_run *run, const struct schema *s, json_object *v, const struct schema_at *at)
{
	size_t n = json_object_array_length(v);

	if (!count_valid(run, s, L_MIN_ITEMS, L_MAX_ITEMS, n, "items", at))
		return false;
	for (size_t i = 0; s->items != NULL && i < n; i++) {
		struct schema_at here = { at, NULL, i };
		json_object *e = json_object_array_get_idx(v, i), *was = e;

		if (!schema_valid(run, s->items, &e, &here))
			return false;
		if (e != was)
			(void)json_object_array_put_idx(v, i, e);
	}
	for (size_t i = 0; s->unique && i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (schema_equal(json_object_array_get_idx(v, i), json_object_array_get_idx(v, j)))
				return schema_wrong(run, at, "must not hold the same item twice");
	return true;
}

/* The members that properties does not name. */
static bool
additional_valid(struct schema_run *run, const struct schema *s, json_object *v, const struct schema_at *at)
{
	json_object_object_foreach(v, name, member) {
		struct schema_at here = { at, name, 0 };
		json_object *was = member;
		size_t i = 0;

		while (i < s->nprops && strcmp(s->props[i].name, name) != 0)
			i++;
		if (i < s->nprops)
			continue;
		if (s->additional->never)
			return unknown_member(run, at, name);
		if (!schema_valid(run, s->additional, &member, &here))
			return false;
		if (member != was)
			(void)json_object_object_add(v, name, member);
	}
	return true;
}

/* One member of properties; *found counts those that are there. */
static bool
member_valid(struct schema_run *run, const struct schema_prop *p, json_object *v, const struct schema_at *at, int *found)
{
	struct schema_at here = { at, p->name, 0 };
	json_object *member, *was;

	if (!json_object_object_get_ex(v, p->name, &member)) {
		if (p->def == NULL || !run->fill)
			return !p->required || schema_wrong(run, &here, "is required");
		member = NULL;
		if (json_object_deep_copy(p->def, &member, NULL) == 0)
			(void)json_object_object_add(v, p->name, member);
		++*found;
		return true;
	}
	++*found;
	was = member;
	if (!schema_valid(run, p->schema, &member, &here))
		return false;
	if (member != was)
		(void)json_object_object_add(v, p->name, member);
	return true;
}

static bool
object_valid(struct schema_run *run, const struct schema *s, json_object *v, const struct schema_at *at)
{
	json_object *member;
	int found = 0;

	if (!count_valid(run, s, L_MIN_PROPERTIES, L_MAX_PROPERTIES, (size_t)json_object_object_length(v), "members", at))
		return false;
	for (size_t i = 0; i < s->nprops; i++)
		if (!member_valid(run, &s->props[i], v, at, &found))
			return false;
	for (size_t i = 0; i < s->nrequired; i++)
		if (!json_object_object_get_ex(v, s->required[i], &member)) {
			struct schema_at here = { at, s->required[i], 0 };

			return schema_wrong(run, &here, "is required");
		}
	return s->additional == NULL || found == json_object_object_length(v) || additional_valid(run, s, v, at);
}

static bool
values_valid(struct schema_run *run, const struct schema *s, json_object *v, const struct schema_at *at)
{
	struct buf b;

	if (s->has_const && !schema_equal(v, s->constant))
		return schema_wrong(run, at, "must be %.200s", json_object_to_json_string_ext(s->constant, JSON_C_TO_STRING_NOSLASHESCAPE));
	if (s->values == NULL)
		return true;
	for (size_t i = 0; i < json_object_array_length(s->values); i++)
		if (schema_equal(v, json_object_array_get_idx(s->values, i)))
			return true;
	if (run->quiet)
		return false;
	buf_init(&b, run->c->a, 128, 1 << 16);
	for (size_t i = 0; i < json_object_array_length(s->values); i++) {
		if (b.n > MESSAGE_MAX - 100) {
			buf_puts(&b, ", ...");
			break;
		}
		buf_printf(&b, "%s%.60s", i > 0 ? ", " : "", json_object_get_string(json_object_array_get_idx(s->values, i)));
	}
	return schema_wrong(run, at, "must be one of %s", buf_str(&b));
}

static bool
node_valid(struct schema_run *run, const struct schema *s, json_object **v, const struct schema_at *at)
{
	if (s->never)
		return schema_wrong(run, at, "is not allowed");
	if (!type_valid(run, s, v, at))
		return false;
	if ((s->values != NULL || s->has_const) && !values_valid(run, s, *v, at))
		return false;
	switch (json_object_get_type(*v)) {
	case json_type_int:
	case json_type_double:
		return number_valid(run, s, *v, at);
	case json_type_string:
		return string_valid(run, s, *v, at);
	case json_type_array:
		return array_valid(run, s, *v, at);
	case json_type_object:
		return object_valid(run, s, *v, at);
	case json_type_null:
	case json_type_boolean:
		break;
	}
	return true;
}

bool
schema_valid(struct schema_run *run, const struct schema *s, json_object **v, const struct schema_at *at)
{
	json_object *given = *v;
	bool ok;

	if (run->depth >= SCHEMA_DEPTH_MAX)
		return schema_wrong(run, at, "is nested too deeply");
	run->depth++;
	ok = node_valid(run, s, v, at) && (s->compound == NULL || compound_valid(run, s, v, at));
	run->depth--;
	if (!ok && *v != given) {
		/* an integer that nobody will store */
		json_object_put(*v);
		*v = given;
	}
	return ok;
}
