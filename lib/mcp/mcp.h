/*
 * The Model Context Protocol, both eras on one endpoint: legacy revisions (initialize handshake, 2024-11-05 to 2025-11-25), and the
 * modern one (2026-07-28, per-request metadata).  The era is a property of one message, never of a connection.  Legacy clients that can be asked
 * something (sampling, elicitation, roots) get a session; it lives in the key-value store, so that any process can serve its next message.
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
	const char *session;	/* Mcp-Session-Id; legacy clients only */
	const char *(*get)(void *arg, const char *name);	/* any header, for Mcp-Param-*; may be NULL */
	void *arg;
};

/*
 * The way back to the client while its request is being answered: an event stream, or the lines of a pipe.  Messages are JSON texts of one line;
 * the reply itself goes the same way once open is set, and whoever calls mcp_message() sends it.
 */
struct mcp_stream {
	bool open;	/* something was sent, or is to be sent at once */
	/* Send one message; false: the client has left. */
	bool (*send)(struct mcp_stream *s, const char *json, size_t n);
	/* Is there still somebody, and may we go on?  beat: send a sign of life.  Does not block. */
	bool (*alive)(struct mcp_stream *s, bool beat);
	/* Is there still somebody?  Asks nothing but the connection, so also while the database works. */
	bool (*there)(struct mcp_stream *s, bool beat);
	/* The first event with an id to resume from, retry_ms, and the end of this response; NULL where nothing can be resumed. */
	bool (*pause)(struct mcp_stream *s, const char *id, int retry_ms);
	/*
	 * Lasting connections only, else NULL.  ask: may the client be asked now, and expect an answer with that id; id NULL: the answer is no longer
	 * expected.  answer: what it has answered, in the arena, after at most wait_ms; NULL: nothing yet.
	 */
	bool (*ask)(struct mcp_stream *s, const char *id);
	const char *(*answer)(struct mcp_stream *s, struct ctx *c, int wait_ms, size_t *n);
	/* Take over a subscription (see listen.h): whoever holds the connection tells its changes. */
	bool (*watch)(struct mcp_stream *s, const char *watch, size_t n);
};

struct mcp_io {
	/* in */
	const struct subject *who;
	const char *server;			/* "catalog"; "" for the endpoint of all tools */
	enum transport via;
	const char *base_url;			/* "https://shop.example", under which we were called; NULL: PUBLIC_URL */
	const struct mcp_headers *headers;	/* NULL: a transport without headers, which are then not asked for */
	const char *locale, *session_id, *idempotency_key, *remote_ip;	/* as struct tool_call */
	const char *metadata;			/* where the resource's OAuth metadata is, for challenges; NULL: nowhere */
	struct mcp_stream *stream;		/* NULL: the client takes nothing but one reply */
	bool lasting;				/* a connection of one client (stdio, WebSocket): kept is its session, and headers is NULL */
	bool modern;				/* it has already spoken the modern revision */
	/* in and out, lasting */
	const char *kept;			/* what the legacy session remembers, JSON text; NULL: there is none */
	/* out */
	const char *new_session;		/* value of Mcp-Session-Id for the response to initialize, or NULL */
	const char *reply;			/* JSON text of one line; NULL: nothing is to be sent (any more) */
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

/*
 * The session of a legacy client that asks for its stream (GET): messages are sent until the stream's time is over or the client leaves.  last_id
 * is the event to resume after, or NULL.  E_NOT_FOUND: no such session of this caller; E_CONFLICT: no process is free for it.  Nothing was sent then.
 */
enum err mcp_session_stream(struct ctx *c, struct mcp_io *io, const char *last_id) __attribute__((warn_unused_result));

/* End a session (DELETE).  E_NOT_FOUND: no such session of this caller. */
enum err mcp_session_close(struct ctx *c, struct mcp_io *io) __attribute__((warn_unused_result));

/* A reply that belongs to no message, for errors of a transport: {"jsonrpc":"2.0","error":{...}}. */
const char *mcp_plain_error(struct ctx *c, int code, const char *message, size_t *n);

#endif
