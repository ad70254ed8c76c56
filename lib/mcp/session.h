/*
 * Sessions of legacy clients that can be asked something.  A session is one value in the key-value store, bound to the principal that opened it;
 * it ends an hour after its last message, or with DELETE.
 */
#ifndef SOUK_MCP_SESSION_H
#define SOUK_MCP_SESSION_H

#include <json-c/json.h>
#include <stdbool.h>

#include "core/ctx.h"
#include "mcp/mcp.h"

#define SESSION_ID 32		/* characters of [0-9A-Za-z]: 190 bits */
#define SESSION_SUBSCRIPTIONS 50

struct mcp_session {
	const char *id;
	json_object *record;	/* {"principal","server","version","capabilities":{},"level"?,"uris":[],"used":seconds} */
	const char **kept;	/* where a lasting connection keeps the record; NULL: it is in the key-value store */
};

/* Open one for the caller of io.  The record's members are copied; capabilities may be NULL.  That of a lasting connection has the id "". */
enum err session_open(struct ctx *c, struct mcp_io *io, const char *version, json_object *capabilities, const char **id)
	__attribute__((warn_unused_result));
/* The session of a lasting connection.  false: it has none. */
bool session_of_connection(struct ctx *c, struct mcp_io *io, struct mcp_session *s);
/* E_NOT_FOUND: none of that id, or another caller's. */
enum err session_load(struct ctx *c, const struct mcp_io *io, const char *id, struct mcp_session *s) __attribute__((warn_unused_result));
enum err session_save(struct ctx *c, struct mcp_session *s) __attribute__((warn_unused_result));
enum err session_close(struct ctx *c, const struct mcp_session *s) __attribute__((warn_unused_result));

const char *session_text(const struct mcp_session *s, const char *member);	/* NULL when absent */

/* The key of a value that belongs to the session: an answer that is waited for ("a"), an event to resume from ("e"). */
const char *session_key(struct ctx *c, const struct mcp_session *s, const char *kind, const char *id);
/* Is it text that may be part of a key? */
bool session_id_valid(const char *id);

#endif
