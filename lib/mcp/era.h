/* Which revision of the protocol does a message speak?  The body decides, headers only cross-check. */
#ifndef SOUK_MCP_ERA_H
#define SOUK_MCP_ERA_H

#include <stdbool.h>

#include "core/ctx.h"
#include "mcp/mcp.h"
#include "mcp/rpc.h"

enum mcp_era { ERA_LEGACY = 1, ERA_MODERN = 2 };

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CLIENT_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_LOG_LEVEL "io.modelcontextprotocol/logLevel"
#define META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"
#define META_SERVER_INFO "io.modelcontextprotocol/serverInfo"

/* Is it a legacy revision that we serve? */
bool era_is_legacy(const char *version);

/* Does the raw message claim a revision in its metadata?  For elements of a batch. */
bool era_has_claim(json_object *message);

/*
 * The era of a message that rpc_read() accepted.  h is NULL for transports without headers.  false: the message is refused with *e; its data, if any, is
 * in c's arena.
 */
bool era_detect(struct ctx *c, const struct rpc *m, const struct mcp_headers *h, enum mcp_era *era, struct rpc_error *e);

/* Refuse a message of that revision with -32022, which names those that are served; returns false. */
bool era_unsupported(struct ctx *c, const char *version, struct rpc_error *e);

#endif
