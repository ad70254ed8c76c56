/*
 * The tool table.  Contracts (tools/{server}/NAME.json) and statements (NAME.sql) are checked while souk is built, and the table is constant data of
 * the program: a start costs nothing for a tool.  The build stops and names the file if a contract lacks a required key, names an unknown handler
 * or rate class, repeats a name, or uses a schema keyword that the validator does not implement (tools/embed.c, tool/registry.h).
 *
 * Members of a contract beside those of MCP (name, title, description, inputSchema, outputSchema, annotations, icons, _meta):
 *   x-scope        required  "none" or "area:verb"
 *   x-rate         required  a rate class
 *   x-servers      required  array of the servers that list it: "catalog", or {"storefront": "get_product_info"} to list it there under an alias
 *   x-aliases      optional  array of the other names it answers to
 *   x-rest         optional  {"method": "GET", "path": "/api/...", "query": {"action": "search"}, "summary": "..."}; query, one pair, and summary may be absent
 *   x-handler      required without a statement: a name in lib/tool/handlers.c
 *   x-transaction  optional, with x-handler: "none" when the handler opens its transactions itself
 *   x-confirm      optional  the question that MCP clients are asked before the work is done, "Cancel order {orderNumber}?", for what destroys or costs
 *                            money; inputSchema then has an optional text "confirm", which the tool itself never sees
 *   x-handles      optional  ["guest"], ["basket"] or both: arguments that hold a signed handle (auth/signed.h); inputSchema has them as optional texts of
 *                            at most 127 characters.  They say who speaks (tool/handles.h), and the tool itself never sees them
 *   x-open         optional  true: may also be called by who has not shown who they are, whatever the scope; the tool itself sees to what they may
 *   x-app          optional  the view that shows its results in hosts that can (mcp/apps.h): "product-cards"
 *   x-interaction  optional  CHAT, SEARCH, RECOMMENDATION, CONTENT_GENERATION or ANALYTICS, for the record; the default goes by the folder
 */
#ifndef SOUK_TOOL_TOOL_H
#define SOUK_TOOL_TOOL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/rate.h"
#include "auth/token.h"
#include "core/buf.h"
#include "core/ctx.h"
#include "store/sql.h"

struct tool_call;
/* A C handler (x-handler): reads call->args, writes call->out.  Runs inside the tool's transaction when the contract says so. */
typedef enum err tool_handler_fn(struct ctx *c, struct tool_call *call);

/* Bytes of tool.text. */
struct tool_text {
	size_t at, n;
};

struct tool_rest {
	const char *method, *path;	/* "GET", "/api/..."; NULL without x-rest */
	const char *query;		/* "action=search", or NULL */
};

struct tool {
	const char *name;		/* "search_products" */
	const char *server;		/* folder: "catalog", "rest" */
	const char *title, *description;
	const char *scope, *rate;	/* x-scope, x-rate */
	const char *text;		/* the contract, compact */
	struct tool_text entry;		/* in text: the members of a tools/list entry behind its name, with the comma before each */
	struct tool_text input, output;	/* in text: inputSchema, outputSchema */
	json_object **schema;		/* what tool_schema() keeps */
	const struct sql *sql;		/* or NULL */
	tool_handler_fn *handler;	/* or NULL */
	bool read_only;			/* annotations.readOnlyHint */
	struct tool_rest rest;		/* x-rest */
	const char *path;		/* "catalog/search_products", the contract's file */
	const char *kind;		/* type of interaction, for the record */
	const char *confirm;		/* x-confirm, or NULL */
	const char *app;		/* x-app, or NULL */
	unsigned handles;		/* x-handles: HANDLE_* */
	const char *const *aliases;	/* NULL-terminated */
	const struct tool_listing *listings;	/* one for each of x-servers, ended by server NULL */
	bool open;			/* x-open */
	bool in_transaction;		/* a handler runs inside a transaction that tool_call() opens */
	bool needs_args;		/* inputSchema requires a member */
	int nparams;			/* of the statement: 2 when it uses $2 and runs for nobody, 1, or 0 when it does not use $1 */
};

#define HANDLE_GUEST 1u
#define HANDLE_BASKET 2u

/* How one server lists a tool. */
struct tool_listing {
	const char *server;
	const char *name;		/* the tool's own name or an alias */
};

/* The servers of /mcp/{server} in the order of DESIGN, NULL-terminated. */
extern const char *const tool_servers[];

/* All tools, ended by a row with name NULL; order: server as in DESIGN, then contract file order. */
const struct tool *tools_all(void);

/* By name or alias; NULL when unknown. */
const struct tool *tool_find(const char *name);

/* Is the tool listed by /mcp/{server} (x-servers)?  server NULL or "": the union endpoint /mcp (any server but none).
   *listed_as gets the name under which that server lists it. */
bool tool_listed(const struct tool *t, const char *server, const char **listed_as);
/* Write the tools/list entry under that name, an object.  With OAUTH it tells which log-in the tool needs (securitySchemes). */
void tool_put_entry(struct buf *b, const struct tool *t, const char *name);

/* inputSchema, parsed at its first use and kept until the process ends; schema_check() keeps its compiled form with it. */
json_object *tool_schema(const struct tool *t);
/* Parse and compile the schemas of all tools: what is there before a fork is shared by the workers, else each would have its own in time. */
void tools_prepare(void);

/* Through which door a call comes; for the record and the metrics. */
enum transport { VIA_MCP, VIA_REST, VIA_CLI, VIA_STDIO, VIA_WS, VIA_CHAT, VIA_CRON, VIA__MAX };
const char *transport_name(enum transport t);

struct tool_call {
	/* in */
	const char *name;		/* as the caller wrote it */
	json_object *args;		/* object; NULL means {} */
	const struct subject *who;
	const char *locale;		/* speaker's locale, NULL: the shop's */
	enum transport via;
	const char *session_id;		/* conversation or session; NULL */
	const char *idempotency_key;	/* NULL: none */
	const char *remote_ip;		/* for nothing but limits; never stored */
	const char *server;		/* only tools that this server lists, "" for any server; NULL: all tools */
	/* Tell whoever waits how far long work is (total < 0: unknown; message may be NULL); false: the caller has left, stop.  NULL: nobody listens. */
	bool (*report)(void *arg, double done, double total, const char *message);
	/* Has the caller given the call up?  Asked while the statement of a tool runs, see ctx.h; NULL: it cannot. */
	bool (*given_up)(void *arg);
	void *report_arg;		/* of both */
	enum err refused;		/* the arguments could not even be made (noted in c): refused where they would be validated */
	/* out */
	const struct tool *tool;	/* NULL when the name is unknown */
	const char *json;		/* result text: one JSON object */
	size_t n;
	struct rate_state rate;		/* always filled, for the headers */
	bool replayed;			/* an idempotent repeat */
	const char *args_json;		/* the validated arguments as text, NULL when the call was refused before */
	size_t args_n;
};

/*
 * The only way to run a tool: find -> scope -> rate -> validate -> transaction (READ ONLY for readOnlyHint) -> set subject -> statement or
 * handler -> map SQLSTATE -> record the interaction.  Refusals are recorded too.
 * Errors: E_NOT_FOUND with message "unknown tool: NAME" (call->tool NULL) or for a missing thing (call->tool set); E_UNAUTHENTICATED (no
 * token) / E_FORBIDDEN (scope missing); E_RATE_LIMITED; E_INVALID naming the argument; others from the store.
 */
enum err tool_call(struct ctx *c, struct tool_call *call) __attribute__((warn_unused_result));

#endif
