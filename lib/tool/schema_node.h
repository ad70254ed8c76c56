/*
 * The compiled form of a schema, shared by the files schema*.c and by nobody else.  Nodes live in one arena that belongs to the root schema's
 * json_object; strings and values point into that object.
 */
#ifndef SOUK_TOOL_SCHEMA_NODE_H
#define SOUK_TOOL_SCHEMA_NODE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/ctx.h"

enum schema_type { T_NULL = 1, T_BOOLEAN = 2, T_OBJECT = 4, T_ARRAY = 8, T_NUMBER = 16, T_INTEGER = 32, T_STRING = 64 };

/* Which of the numeric limits are set. */
enum schema_limit {
	L_MINIMUM, L_MAXIMUM, L_EXCLUSIVE_MINIMUM, L_EXCLUSIVE_MAXIMUM, L_MULTIPLE_OF, L_MIN_LENGTH, L_MAX_LENGTH, L_MIN_ITEMS, L_MAX_ITEMS,
	L_MIN_PROPERTIES, L_MAX_PROPERTIES, L__MAX
};

struct schema;
struct schema_compound;

/* A JSON number: integers keep all their bits. */
struct schema_number {
	bool is_int;
	int64_t i;
	double d;	/* the value too, rounded, when is_int */
};

struct schema_prop {
	const char *name;
	struct schema *schema;
	json_object *def;	/* default, NULL when none */
	bool required;
};

struct schema {
	unsigned types;			/* T_* or 0 for any */
	unsigned limits;		/* 1 << L_* */
	bool never;			/* the schema "false" */
	bool unique;			/* uniqueItems */
	bool has_const;
	const char *format;		/* or NULL */
	struct schema_number limit[L__MAX];
	struct schema_prop *props;
	size_t nprops;
	const char **required;		/* required members that properties does not name */
	size_t nrequired;
	struct schema *additional;	/* NULL: any */
	struct schema *items;		/* NULL: any */
	json_object *values;		/* enum, or NULL */
	json_object *constant;
	struct schema_compound *compound;	/* NULL in ordinary contracts */
};

/* allOf and its relatives; see schema_compound.c. */
struct schema_list {
	struct schema **v;
	size_t n;
};

struct schema_compound {
	struct schema *ref;
	struct schema_list all, any, one;
	struct schema *not_, *if_, *then_, *else_;
	void *pattern;			/* regex_t */
	const char *pattern_text;
};

/* While compiling: where we are, for messages, and what was compiled already, for $ref in circles. */
struct schema_seen {
	json_object *json;
	struct schema *node;
	struct schema_seen *next;
};

struct schema_compiler {
	json_object *root;
	struct arena *a;
	struct schema_seen *seen;
	int depth;
	char path[256];
	size_t pathsz;
	char *why;
	size_t whysz;
};

/* NULL and why when the schema cannot be used.  step is added to the path while inside. */
struct schema *schema_compile(struct schema_compiler *k, json_object *json, const char *step);
/* Say why and return false. */
bool schema_refuse(struct schema_compiler *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The keywords of schema_compound.c: false with *known unset when the keyword is none of them. */
bool compound_keyword(struct schema_compiler *k, struct schema *s, const char *key, json_object *v, bool *known);
/* Give the compiled expressions back. */
void compound_release(struct schema_compiler *k);

/* One step of the way to the value that is checked. */
struct schema_at {
	const struct schema_at *up;	/* NULL at the root */
	const char *name;		/* member, or NULL: element */
	size_t index;
};

struct schema_run {
	struct ctx *c;
	bool fill;
	bool quiet;		/* only the outcome counts: no message */
	int depth;
};

/* Is *v valid?  With fill *v may be replaced by an equal integer; the caller stores it. */
bool schema_valid(struct schema_run *run, const struct schema *s, json_object **v, const struct schema_at *at);
/* Tell what is wrong with the value at `at`; returns false. */
bool schema_wrong(struct schema_run *run, const struct schema_at *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool compound_valid(struct schema_run *run, const struct schema *s, json_object **v, const struct schema_at *at);

/* false when v is no number. */
bool schema_number_of(json_object *v, struct schema_number *out);
/* Equal as JSON values: 1 and 1.0 are. */
bool schema_equal(json_object *a, json_object *b);

/* schema_format.c: is the name of a format known?  Does the text have it? */
bool format_known(const char *format);
bool format_valid(const char *format, const char *s, size_t n);

#endif
