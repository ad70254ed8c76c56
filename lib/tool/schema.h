/*
 * JSON Schema (2020-12) subset used by the contracts: type, properties, required, additionalProperties (boolean or schema), items, enum, const,
 * minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength, minItems, maxItems, uniqueItems, minProperties, maxProperties, default,
 * format (date, date-time, email, uri, uuid), and the annotations title, description, examples, deprecated, $schema, x-*.
 * (json_schema_2020_12 fixtures of the protocol tests additionally need $defs, $ref, $anchor, allOf, anyOf, oneOf, not, if/then/else, pattern.)
 */
#ifndef SOUK_TOOL_SCHEMA_H
#define SOUK_TOOL_SCHEMA_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"

/* Does the schema use only keywords that schema_check implements?  why gets path and keyword. */
bool schema_supported(json_object *schema, char *why, size_t whysz);

/* Validate; with fill, absent members that have a default are added to v.  E_INVALID: "limit: must be at most 50", "unknown argument: foo". */
enum err schema_check(struct ctx *c, json_object *schema, json_object *v, bool fill) __attribute__((warn_unused_result));

#endif
