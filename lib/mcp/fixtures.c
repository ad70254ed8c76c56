#include "mcp/fixtures.h"

static const struct mcp_fixture_tool no_tools[1];
static const struct mcp_fixture_resource no_resources[1];
static const struct mcp_fixture_prompt no_prompts[1];

const struct mcp_fixtures *
mcp_fixtures(void)
{
	static const struct mcp_fixtures none = { no_tools, no_resources, no_prompts };

	return &none;
}
