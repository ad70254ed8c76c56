/*
 * The methods that are served.  Each is a row in methods.c and a function in one of the files lifecycle.c, tools_list.c, tools_call.c, resources.c, prompts.c,
 * complete.c, listen.c; a method without a row does not exist, and a capability is declared exactly when its methods have rows.
 */
#ifndef SOUK_MCP_METHODS_H
#define SOUK_MCP_METHODS_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/ctx.h"
#include "mcp/era.h"
#include "mcp/mcp.h"
#include "mcp/rpc.h"

/* One request that is being answered. */
struct mcp_call {
	struct ctx *c;
	struct mcp_io *io;
	const struct rpc *m;
	enum mcp_era era;
	struct buf *out;		/* the members of "result", written with mcp_member() */
	bool started;			/* a member was written */
	struct rpc_error error;		/* set when the method returned false */
	struct mcp_session *session;	/* legacy: that of the header, NULL without */
	struct mcp_asked *asked;	/* modern: what the client is asked, see ask.h; NULL: nothing */
	json_object *state;		/* modern: what its requestState held, NULL: none was sent */
	int64_t began_ms, beat_ms;	/* when it began; when its client is to have the next sign of life */
	double progress;		/* the last that was told */
	int log_level;			/* the lowest that is sent, MCP_LEVELS for none; see notify.h */
	int later_ms;			/* above 0: put the reply aside, for the client to fetch after this time */
	bool listened;			/* a subscription has ended: its id belongs into the result */
	bool left;			/* the client has left: there is nobody to answer */
};

struct mcp_method {
	const char *name;
	unsigned eras;			/* ERA_LEGACY | ERA_MODERN */
	const char *named;		/* the member of params that the header Mcp-Name repeats; NULL: none */
	bool own_rate;			/* counts in the rate class of the tool, not in "mcp" */
	bool (*run)(struct mcp_call *call);
};

/* NULL when that era does not have the method. */
const struct mcp_method *mcp_method_find(const char *name, enum mcp_era era);
/* The member of params that Mcp-Name repeats, for any method. */
const char *mcp_method_named(const char *name);

/* Begin a member of the result: the comma where one is due, the name and the colon. */
void mcp_member(struct mcp_call *call, const char *name);
/* ttlMs and cacheScope of cacheable results; the modern era only. */
void mcp_cacheable(struct mcp_call *call, bool is_public);
/* {"name":...,"version":...} */
void mcp_server_info(struct mcp_call *call);
/* A string member of params; *out is NULL when it is absent.  false: it is no string, and the error is set. */
bool mcp_string_param(struct mcp_call *call, const char *name, const char **out);
/* Set the error and return false.  fmt makes a text that is safe to show. */
bool mcp_fail(struct mcp_call *call, int code, int http, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The error for what a lower layer refused, with status, Retry-After and WWW-Authenticate; returns false.  scope: what a token would need. */
bool mcp_refuse(struct mcp_call *call, enum err e, const char *scope);
/* Count the message in the rate class "mcp"; false: over the limit, and the error is set. */
bool mcp_count(struct mcp_call *call);

/* Begin the list of that name at the cursor: *start is the number of the first element.  false: the cursor is none of this list, and the error is set. */
bool mcp_page(struct mcp_call *call, const char *list, size_t *start);
/* nextCursor for the page that begins at next. */
void mcp_next_page(struct mcp_call *call, const char *list, size_t next);
/* -32602 (modern) or -32002 (legacy), with data.uri; returns false. */
bool mcp_no_resource(struct mcp_call *call, const char *uri);

#define PAGE_ROWS 200		/* of every list: many clients read the first page only, so it has to hold everything */

bool mcp_initialize(struct mcp_call *call);
bool mcp_ping(struct mcp_call *call);
bool mcp_discover(struct mcp_call *call);
bool mcp_tools_list(struct mcp_call *call);
bool mcp_tools_call(struct mcp_call *call);
bool mcp_set_level(struct mcp_call *call);
bool mcp_resources_list(struct mcp_call *call);
bool mcp_templates_list(struct mcp_call *call);
bool mcp_resources_read(struct mcp_call *call);
bool mcp_subscribe(struct mcp_call *call);
bool mcp_unsubscribe(struct mcp_call *call);
bool mcp_prompts_list(struct mcp_call *call);
bool mcp_prompts_get(struct mcp_call *call);
bool mcp_complete(struct mcp_call *call);
bool mcp_listen(struct mcp_call *call);

#endif
