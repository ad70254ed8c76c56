/*
 * The Model Context Protocol, both eras on one endpoint: legacy revisions (initialize handshake, 2024-11-05 to 2025-11-25) without a session, and the
 * modern one (2026-07-28, per-request metadata).  The era is a property of one message, never of a connection.
 *
 * This is the core, which knows no transport: a message goes in, a reply comes out.  http.h has the HTTP side.
 */
#ifndef SOUK_MCP_MCP_H
#define SOUK_MCP_MCP_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/rate.h"
#include "auth/token.h"
#include "core/ctx.h"
#include "tool/tool.h"

#define MCP_MODERN "2026-07-28"		/* the one modern revision */
#define MCP_LEGACY_NEWEST "2025-11-25"
#define MCP_LEGACY_ASSUMED "2025-03-26"	/* of a message that names none */

/* Request headers of an HTTP transport, trimmed of blanks; NULL when absent. */
struct mcp_headers {
	const char *version;	/* MCP-Protocol-Version */
	const char *method;	/* Mcp-Method */
	const char *name;	/* Mcp-Name, still encoded */
};

struct mcp_io {
	/* in */
	const struct subject *who;
	const char *server;			/* "catalog"; "" for the endpoint of all tools */
	enum transport via;
	const struct mcp_headers *headers;	/* NULL: a transport without headers, which are then not asked for */
	const char *locale, *session_id, *idempotency_key, *remote_ip;	/* as struct tool_call */
	/* out */
	const char *reply;			/* JSON text of one line; NULL: nothing is to be sent */
	size_t n;
	int status;				/* HTTP status that fits: 202 without a reply */
	struct rate_state rate;
	bool rated;				/* rate is filled */
	bool replayed;				/* an idempotent repeat */
	int retry_after_s;			/* with 429 and 503 */
	const char *challenge;			/* value of WWW-Authenticate with 401 and 403, else NULL */
};

/*
 * Answer one message (a batch too, where its revision has batches).  The reply is in c's arena.  Protocol errors are replies: what is returned
 * is E_OK unless no reply could be made.
 */
enum err mcp_message(struct ctx *c, struct mcp_io *io, const char *text, size_t n) __attribute__((warn_unused_result));

/* The name of an endpoint is "" or one of tool_servers. */
bool mcp_server_known(const char *server);

/* A reply that belongs to no message, for errors of a transport: {"jsonrpc":"2.0","error":{...}}. */
const char *mcp_plain_error(struct ctx *c, int code, const char *message, size_t *n);

#endif
