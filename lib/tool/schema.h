/*
 * JSON Schema (2020-12) as far as contracts need it: type, properties, required, additionalProperties (boolean or schema), items, enum, const,
 * minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength, minItems, maxItems, uniqueItems (with maxItems of at most 1,000),
 * minProperties, maxProperties, default, format (date, date-time, email, uri, uuid), and the annotations title, description, examples, deprecated,
 * readOnly, writeOnly, $schema, $comment, x-*.  For the fixtures of the protocol tests also $defs, local $ref, $anchor, allOf, anyOf, oneOf, not,
 * if/then/else and pattern (a POSIX extended expression; \d \w \s and (?: are understood).  Anything else is refused, never ignored.
 *
 * A schema is compiled at its first use and keeps the compiled form until it is freed; compile at start with schema_supported().
 */
#ifndef SOUK_TOOL_SCHEMA_H
#define SOUK_TOOL_SCHEMA_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"

#define SCHEMA_DEPTH_MAX 64	/* nested schemas, in the schema and while checking */

/* Does the schema use only keywords that schema_check implements?  why gets path and keyword. */
bool schema_supported(json_object *schema, char *why, size_t whysz);

/*
 * Validate v (NULL is JSON null).  E_INVALID with a message that names the member: "limit: must be at most 50", "unknown argument: foo",
 * "items[2].quantity: must be an integer"; the whole value is called "arguments".
 * With fill, absent members that have a default are added to v, and numbers such as 5.0 become integers where the schema says integer.
 */
enum err schema_check(struct ctx *c, json_object *schema, json_object *v, bool fill) __attribute__((warn_unused_result));

/* Does an object of this schema need the member? */
bool schema_requires(json_object *schema, const char *name);

#endif
