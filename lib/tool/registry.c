/* The tool table: constant, but for the schemas, which are parsed when they are first used. */
#include "tool/registry.h"

#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/failstop.h"
#include "core/json.h"
#include "tool/schema.h"

#define SCHEMAS_MEMORY_MAX (32u << 20)

const char *const tool_servers[] = {
	"catalog", "orders", "support", "analytics", "storefront", "admin", "intent", "notifications", NULL
};

static const struct tool_table *table = &tool_table;

void
registry_use(const struct tool_table *other)
{
	table = other;
}

const struct tool *
tools_all(void)
{
	return table->tools;
}

static int
by_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct tool_name *)row)->name);
}

const struct tool *
tool_find(const char *name)
{
	const struct tool_name *row = bsearch(name, table->names, table->nnames, sizeof(*table->names), by_name);

	return row != NULL ? row->tool : NULL;
}

bool
tool_listed(const struct tool *t, const char *server, const char **listed_as)
{
	*listed_as = t->name;
	if (server == NULL || server[0] == '\0')
		return t->listings[0].server != NULL;
	for (const struct tool_listing *l = t->listings; l->server != NULL; l++)
		if (strcmp(l->server, server) == 0) {
			*listed_as = l->name;
			return true;
		}
	return false;
}

/* Which tools need a log-in, for clients that ask their user before the first call and not after a 401 (ChatGPT). */
static void
put_security(struct buf *b, const struct tool *t)
{
	bool is_public = strcmp(t->scope, "none") == 0;

	if (!cfg_bool("OAUTH"))
		return;
	buf_puts(b, ",\"securitySchemes\":[");
	if (is_public || t->handles != 0 || t->open)
		buf_puts(b, is_public ? "{\"type\":\"noauth\"}" : "{\"type\":\"noauth\"},");
	if (!is_public)
		buf_printf(b, "{\"type\":\"oauth2\",\"scopes\":[\"%s\"]}", t->scope);
	buf_putc(b, ']');
}

void
tool_put_entry(struct buf *b, const struct tool *t, const char *name)
{
	buf_puts(b, "{\"name\":");
	buf_json_cstr(b, name);
	buf_put(b, t->text + t->entry.at, t->entry.n);
	put_security(b, t);
	buf_putc(b, '}');
}

json_object *
tool_schema(const struct tool *t)
{
	static struct arena arena = { .max = SCHEMAS_MEMORY_MAX };
	struct ctx c = { .a = &arena };

	if (*t->schema == NULL && json_parse(&c, t->text + t->input.at, t->input.n, t->schema) != E_OK)
		failstop("a schema that was checked cannot be parsed");
	return *t->schema;
}

void
tools_prepare(void)
{
	char why[256];

	for (const struct tool *t = table->tools; t->name != NULL; t++)
		if (!schema_supported(tool_schema(t), why, sizeof(why)))
			failstop("a schema that was checked cannot be compiled");
}
