/*
 * The message protocol of the orchestrator, over WebSocket:
 *   -> {"type":"message","userId":"user123","message":"Do you have a lamp?","clientType":"web-storefront","locale":"en"}
 *   <- {"type":"response","userId":"user123","message":"...","metadata":{"locale":"en","timestamp":"..."}}
 * What is refused or cannot be answered is a response too, whose message says so, with "error": {"code":"MCP_...","message":"..."}.
 * userId: text of 1 to 200 bytes; of a customer's connection only the customer's own id.  message: 1 to 4000 bytes.  clientType: one of web-admin,
 * web-storefront, whatsapp, instagram, mobile (default web-storefront).  locale: one of the shop's, else the shop's default.  metadata: an object, ignored.
 */
#ifndef SOUK_MCP_ORCHESTRATOR_H
#define SOUK_MCP_ORCHESTRATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"
#include "mcp/mcp.h"

/* An object with "type" and without "jsonrpc"? */
bool orchestrator_is_message(struct ctx *c, const char *text, size_t n);

/* The response, JSON text of one line in the arena.  Counts in the rate class "chat". */
const char *orchestrator_answer(struct ctx *c, const struct mcp_io *io, const char *text, size_t n, size_t *out);

#endif
