/*
 * Confirmation of tools that destroy or cost money (x-confirm).  A client with elicitation asks its user, in both eras; a modern
 * one's answer counts once, and with the requestState of the question only.  Any other gets a preview: a result
 * with isError that repeats the question and holds a sealed token, with which the same call is repeated as its argument "confirm", once.
 */
#ifndef SOUK_MCP_CONFIRM_H
#define SOUK_MCP_CONFIRM_H

#include <json-c/json.h>
#include <stdbool.h>

#include "mcp/methods.h"

/*
 * May the tool run now?  "confirm" is then taken out of the arguments.  false: the client is being asked, or the result that says why not is written.
 * Calls that tool_call() will refuse anyhow (no scope, wrong arguments) go on to it unasked.
 */
bool mcp_confirmed(struct mcp_call *call, const struct tool *t, json_object *args);

#endif
