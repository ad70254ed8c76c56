/* souk tools: what the tool table declares, as a list, as the manual page docs/tools.md, or as JSON for programs. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/banned.h"
#include "core/json.h"
#include "tool/schema.h"
#include "tool/tool.h"

static const char *
text_of(json_object *o, const char *key, const char *otherwise)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v) : otherwise;
}

/* "/mcp/catalog, /mcp/storefront (as get_product_info)" */
static void
print_servers(const struct tool *t)
{
	for (const struct tool_listing *l = t->listings; l->server != NULL; l++) {
		printf("%s`/mcp/%s`", l > t->listings ? ", " : "", l->server);
		if (strcmp(l->name, t->name) != 0)
			printf(" (as `%s`)", l->name);
	}
}

static void
print_aliases(const struct tool *t)
{
	if (t->aliases[0] == NULL)
		return;
	printf("Also callable as");
	for (size_t i = 0; t->aliases[i] != NULL; i++)
		printf("%s `%s`", i ? "," : "", t->aliases[i]);
	printf(".\n\n");
}

/* " 1 to 50, default 10, one of ..." */
static void
print_bounds(json_object *p)
{
	static const struct { const char *key, *say; } bounds[] = {
		{ "minimum", "at least" }, { "maximum", "at most" }, { "minLength", "characters at least" }, { "maxLength", "characters at most" },
		{ "maxItems", "items at most" }, { "default", "default" }, { "enum", "one of" }, { "format", "format" },
	};
	json_object *v;

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (json_object_object_get_ex(p, bounds[i].key, &v))
			printf("; %s %s", bounds[i].say, json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void
print_arguments(const struct tool *t)
{
	json_object *schema = tool_schema(t), *props;

	if (!json_object_object_get_ex(schema, "properties", &props) || json_object_object_length(props) == 0) {
		printf("No arguments.\n\n");
		return;
	}
	printf("| argument | type | meaning |\n|---|---|---|\n");
	json_object_object_foreach(props, name, p) {
		printf("| `%s`%s | %s | %s", name, schema_requires(schema, name) ? " (required)" : "", text_of(p, "type", "any"),
			text_of(p, "description", ""));
		print_bounds(p);
		printf(" |\n");
	}
	printf("\n");
}

static void
print_markdown_entry(const struct tool *t)
{
	printf("### %s\n\n%s\n\n", t->name, t->description);
	if (t->rest.path != NULL) {
		printf("`%s %s%s%s", t->rest.method, t->rest.path, t->rest.query != NULL ? "?" : "", t->rest.query != NULL ? t->rest.query : "");
		printf("` · ");
	} else {
		print_servers(t);
		printf(" · ");
	}
	printf("scope `%s` · rate class `%s` · %s\n\n", t->scope, t->rate, t->read_only ? "reads" : "writes");
	print_aliases(t);
	print_arguments(t);
}

static void
print_markdown(void)
{
	const char *server = "";

	printf("# Tools\n\nMade by `souk tools --markdown` from the contracts in `tools/`. Results are described by each tool's `outputSchema`, which\n"
		"`tools/list` and `/openapi.json` carry.\n\n");
	for (const struct tool *t = tools_all(); t->name != NULL; t++) {
		if (strcmp(server, t->server) != 0)
			printf("## %s\n\n", server = t->server);
		print_markdown_entry(t);
	}
}

static void
print_json(void)
{
	const char *between = "[";

	for (const struct tool *t = tools_all(); t->name != NULL; t++, between = ",\n")
		printf("%s%s", between, t->text);
	printf("]\n");
}

int
cmd_tools(struct cli *cli)
{
	if (cli_value(cli, "markdown") != NULL)
		print_markdown();
	else if (cli_value(cli, "json") != NULL)
		print_json();
	else
		for (const struct tool *t = tools_all(); t->name != NULL; t++)
			printf("%-28s %-12s %-16s %-8s %s\n", t->name, t->server, t->scope, t->rate, t->title);
	return CLI_OK;
}
