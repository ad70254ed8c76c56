/* The table of resources: each is the result of a tool.  What a caller may not run is not listed, and reading it says what is missing. */
#ifndef SOUK_MCP_RESOURCES_H
#define SOUK_MCP_RESOURCES_H

#include <stdbool.h>

#include "mcp/fixtures.h"
#include "mcp/methods.h"

struct mcp_resource {
	const char *uri;		/* "souk://products/featured", or with one variable: "souk://products/{slug}" */
	const char *name, *title, *description;
	const char *tool;		/* whose result the text is */
	const char *arguments;		/* of that tool, as JSON, beside the variable */
	const char *servers;		/* endpoints that list it, separated by blanks; "" lists all */
	const char *complete;		/* tool that completes the variable, NULL for none */
};

struct mcp_found {
	const struct mcp_resource *resource;
	const struct mcp_fixture_resource *fixture;	/* one of the two */
	const char *name, *value;	/* the variable, decoded; NULL without one */
	const char *cursor;		/* of a resource in pages ("?cursor="), or NULL */
};

/* Ended by a row without a URI. */
extern const struct mcp_resource mcp_resource_table[];

/* Is the endpoint ("" for all tools) among the words of servers? */
bool resource_served(const char *servers, const char *server);
/* The resource that a URI names on this endpoint; the scheme vivr: is another name for souk:. */
bool resource_find(struct ctx *c, const char *server, const char *uri, struct mcp_found *found);
/* The row whose template is that text (vivr: too), NULL when there is none. */
const struct mcp_resource *resource_template(struct ctx *c, const char *server, const char *template);
/* The URI with our own scheme. */
const char *resource_canonical(struct ctx *c, const char *uri);
/* May the caller be told of changes of it?  Reads it, when not everybody may. */
bool resource_allowed(struct mcp_call *call, const char *uri);

#endif
