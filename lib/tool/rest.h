/*
 * A tool behind a REST route.  GET and DELETE take the arguments from the query string, the others from a JSON body; a variable segment of the
 * path is an argument in both.  The answer's body is the tool's result.
 *
 * Query values are texts, so inputSchema decides what they are: integer and number in JSON's notation, boolean as true, false, 1 or 0, array by
 * repetition or commas.  What does not convert stays a text, and the validator says what it must be.  An unknown or repeated parameter is an error.
 */
#ifndef SOUK_TOOL_REST_H
#define SOUK_TOOL_REST_H

#include <json-c/json.h>

#include "tool/tool.h"
#include "web/req.h"

/* Serve the request with this tool and send its result.  Errors are those of tool_call(); nothing is sent then. */
enum err tool_rest(struct req *r, const char *tool_name) __attribute__((warn_unused_result));

/* The arguments for a tool of that inputSchema, an object in r's arena; part of tool_rest(), on its own for the tests. */
enum err rest_args(struct req *r, json_object *input_schema, json_object **args) __attribute__((warn_unused_result));

#endif
