/* What a request that is being answered tells its client meanwhile. */
#ifndef SOUK_MCP_NOTIFY_H
#define SOUK_MCP_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "mcp/methods.h"

/* Levels of log messages, RFC 5424, the least important first. */
enum mcp_level { MCP_DEBUG, MCP_INFO, MCP_NOTICE, MCP_WARNING, MCP_ERROR, MCP_CRITICAL, MCP_ALERT, MCP_EMERGENCY, MCP_LEVELS };

/* -1: no level. */
int mcp_level_of(const char *name);

/* Read what the request or its session wants to be told into call->log_level.  false: the level is unknown, and the error is set. */
bool mcp_read_log_level(struct mcp_call *call);

/* Send one message on the request's stream, which opens with it; false: there is no stream, or the client has left. */
bool mcp_send(struct mcp_call *call, const char *json, size_t n);

/*
 * Progress, if the request gave a token and there is a stream; progress that does not grow is not sent.  total < 0: unknown; message may be NULL.
 * false: the client has left, and the work may stop.
 */
bool mcp_progress(struct mcp_call *call, double progress, double total, const char *message);

/* Log data (JSON text, without credentials or personal data) at a level.  false: the client has left. */
bool mcp_log(struct mcp_call *call, enum mcp_level level, const char *logger, const char *data);

/* Has the client left?  A modern client that leaves has cancelled its request. */
bool mcp_cancelled(struct mcp_call *call);

/* Let a tool tell how far it is, and its statement be cancelled when the client gives the call up; before tool_call(). */
void mcp_follow(struct mcp_call *call, struct tool_call *tool);

#endif
