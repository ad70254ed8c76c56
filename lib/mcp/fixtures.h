/*
 * What a build for protocol tests serves beside the shop: tools, resources and prompts that are functions, not contracts.  The library has none;
 * the program of the tests (tests/conformance) has a table of its own, which is linked in its place.
 */
#ifndef SOUK_MCP_FIXTURES_H
#define SOUK_MCP_FIXTURES_H

#include <json-c/json.h>
#include <stdbool.h>

#include "mcp/methods.h"

struct mcp_fixture_tool {
	const char *name;
	const char *entry;	/* the tools/list entry */
	bool (*run)(struct mcp_call *call, json_object *args);	/* writes the members of the result */
};

struct mcp_fixture_resource {
	const char *uri;	/* or a template with one variable: "test://template/{id}/data" */
	const char *entry;	/* the entry of resources/list or resources/templates/list */
	void (*read)(struct mcp_call *call, const char *uri, const char *var);	/* writes one object of contents */
};

struct mcp_fixture_prompt {
	const char *name;
	const char *entry;
	bool (*get)(struct mcp_call *call, json_object *args);
};

/* Each ended by a row without a name or uri. */
struct mcp_fixtures {
	const struct mcp_fixture_tool *tools;
	const struct mcp_fixture_resource *resources;
	const struct mcp_fixture_prompt *prompts;
};

/* Never NULL. */
const struct mcp_fixtures *mcp_fixtures(void);

#endif
