/*
 * Strict JSON.  json_gate() is one pass over the bytes without allocation or recursion; only what it accepts is parsed by
 * json-c, and typed getters read the result (reference: RFC 8259; the value traps of json-c 0.16).
 */
#ifndef SOUK_CORE_JSON_H
#define SOUK_CORE_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"

#define JSON_DEPTH_MAX 32	/* nested arrays and objects */
#define JSON_NUMBER_MAX 128	/* bytes of one number's text */

struct json_fault {
	size_t offset;		/* byte offset of the fault */
	const char *reason;	/* static, public-safe English */
	bool is_json;		/* the text is JSON as far as it was read, but holds a value that cannot be taken */
};

/*
 * Accepts exactly the RFC 8259 grammar in valid UTF-8 with nothing after the value, and refuses besides: depth over
 * JSON_DEPTH_MAX, \u0000 ("cannot be stored"), lone surrogates, integers outside int64, exponents over 300, numbers longer than
 * JSON_NUMBER_MAX.  *members is the number of object members seen (to find duplicates after parsing); may be NULL.
 * Returns true when accepted; otherwise *fault tells where and why.
 */
bool json_gate(const char *p, size_t n, size_t *members, struct json_fault *fault);

/*
 * Gate, parse, and refuse duplicate members.  The object belongs to c's arena.  p[n] need not be NUL.
 * Errors: E_MALFORMED for what is no JSON ("JSON: byte 17: ..."), E_INVALID for JSON that cannot be taken: duplicate members, \u0000,
 * numbers out of range; E_TOO_LARGE.
 */
enum err json_parse(struct ctx *c, const char *p, size_t n, json_object **out) __attribute__((warn_unused_result));

/* Typed getters.  They never convert: the type is tested first, then the range. */
enum json_got { JSON_OK, JSON_ABSENT, JSON_NULL, JSON_TYPE, JSON_RANGE };

enum json_got json_get_int(json_object *o, const char *key, int64_t lo, int64_t hi, int64_t *out);
enum json_got json_get_double(json_object *o, const char *key, double lo, double hi, double *out);	/* finite; ints accepted */
enum json_got json_get_bool(json_object *o, const char *key, bool *out);
/* *out points into the object; length in characters is not checked, bytes are: minsz..maxsz */
enum json_got json_get_string(json_object *o, const char *key, size_t minsz, size_t maxsz, const char **out, size_t *outsz);
enum json_got json_get_object(json_object *o, const char *key, json_object **out);
enum json_got json_get_array(json_object *o, const char *key, json_object **out);

/* Compact text of any value, in c's arena ('/' not escaped). */
const char *json_text(struct ctx *c, json_object *o, size_t *n);

/* Number of UTF-8 characters in valid UTF-8. */
size_t utf8_length(const char *s, size_t n);

/* Is this valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF)? */
bool utf8_valid(const char *s, size_t n);

#endif
