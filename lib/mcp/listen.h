/*
 * Telling a client what has changed.  A request's own stream is watched by its process (listen.c); on a lasting connection whoever holds it keeps the
 * subscriptions, which then cost no process.  Such a subscription is handed over as JSON text:
 *   {"id":7,"tools":true,"prompts":true,"resources":true,"uris":["souk://..."]}
 */
#ifndef SOUK_MCP_LISTEN_H
#define SOUK_MCP_LISTEN_H

#include <json-c/json.h>
#include <stdbool.h>

#include "core/ctx.h"
#include "mcp/mcp.h"

struct mcp_watch {
	json_object *id;	/* of the request; NULL in a legacy session */
	bool tools, prompts, resources;
	json_object *uris;	/* array, as the client wrote them; NULL: none */
};

/*
 * Send what a change means to a subscription; change as db_changes_wait() tells it, "*" when anything may have changed.  Allocates in c's arena.
 * false: the client has left.
 */
bool mcp_tell_change(struct ctx *c, struct mcp_stream *stream, const struct mcp_watch *w, const char *change);

/* The members of the JSON text above; w->id and w->uris belong to o. */
void mcp_watch_read(json_object *o, struct mcp_watch *w);

#endif
