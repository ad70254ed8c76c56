/* The request headers that repeat parts of a modern message, so that a proxy can route without reading bodies. */
#ifndef SOUK_MCP_HEADERS_H
#define SOUK_MCP_HEADERS_H

#include <stdbool.h>

#include "core/ctx.h"
#include "mcp/mcp.h"
#include "mcp/rpc.h"

/* A header's value without leading and trailing SP and HTAB, in the arena; NULL stays NULL. */
const char *header_trim(struct ctx *c, const char *value);

/*
 * The text of a value that may be encoded as =?base64?<standard base64 with padding>?= (UTF-8).  A value without both the prefix and the suffix stands for
 * itself.  false: wrong alphabet, padding or UTF-8.
 */
bool header_decode(struct ctx *c, const char *value, const char **out);

/* Check a modern request's headers: present, and equal to the body.  named: the member of params that Mcp-Name repeats, NULL for none. */
bool headers_match(struct ctx *c, const struct rpc *m, const struct mcp_headers *h, const char *named, struct rpc_error *e);

/* Check the headers Mcp-Param-X of the arguments that the schema marks with "x-mcp-header": "X". */
bool header_params_match(struct ctx *c, const struct mcp_headers *h, json_object *schema, json_object *args, struct rpc_error *e);

#endif
