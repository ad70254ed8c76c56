/* From contracts to the tool table: what the build does with those in tools/, and tests with their own. */
#include "tool/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"

#define LOAD_MEMORY_MAX (32u << 20)

static const struct tool no_tools[1];
static const struct tool_name no_names[1];

static struct {
	struct arena arena;
	struct tool *tools;
	struct tool_name *names;
	struct tool_table table;
} made;

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct tool_name *)a)->name, ((const struct tool_name *)b)->name);
}

/* Folders in the order of tool_servers, then the others as they come. */
static size_t
server_rank(const char *server)
{
	size_t i = 0;

	while (tool_servers[i] != NULL && strcmp(tool_servers[i], server) != 0)
		i++;
	return i;
}

/* Read all contracts, server by server, in file order. */
static enum err
read_all(struct ctx *c, const struct tool_file *files, const char **path)
{
	size_t n = 0, servers = server_rank("");

	while (files[n].path != NULL)
		n++;
	made.tools = arena_zalloc(c->a, n + 1, sizeof(*made.tools));
	for (size_t rank = 0; rank <= servers; rank++)
		for (size_t i = 0; i < n; i++) {
			char server[64];

			(void)snprintf(server, sizeof(server), "%.*s", (int)strcspn(files[i].path, "/"), files[i].path);
			if (server_rank(server) != rank)
				continue;
			*path = files[i].path;
			if (contract_read(c, &files[i], &made.tools[made.table.ntools]))
				return c->err;
			made.table.ntools++;
		}
	return E_OK;
}

static enum err
index_names(struct ctx *c, const char **path)
{
	size_t n = 0;

	for (size_t i = 0; i < made.table.ntools; i++) {
		const struct tool *t = &made.tools[i];

		n++;
		for (size_t k = 0; t->aliases[k] != NULL; k++)
			n++;
	}
	made.names = arena_zalloc(c->a, n + 1, sizeof(*made.names));
	for (size_t i = 0; i < made.table.ntools; i++) {
		const struct tool *t = &made.tools[i];

		made.names[made.table.nnames++] = (struct tool_name){ t->name, t };
		for (size_t k = 0; t->aliases[k] != NULL; k++)
			made.names[made.table.nnames++] = (struct tool_name){ t->aliases[k], t };
	}
	qsort(made.names, n, sizeof(*made.names), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(made.names[i - 1].name, made.names[i].name) == 0) {
			*path = made.names[i].tool->path;
			return fail(c, E_INVALID, "the name \"%s\" belongs to %s too", made.names[i].name, made.names[i - 1].tool->path);
		}
	return E_OK;
}

bool
registry_load(const struct tool_file *files, char *err, size_t errsz)
{
	struct ctx c = { .a = &made.arena };
	const char *path = "";

	if (made.arena.max != 0)
		arena_release(&made.arena);
	arena_init(&made.arena, LOAD_MEMORY_MAX);
	made.table = (struct tool_table){ .tools = no_tools, .names = no_names };
	registry_use(&made.table);
	if (read_all(&c, files, &path) == E_OK && index_names(&c, &path) == E_OK) {
		made.table.tools = made.tools;
		made.table.names = made.names;
		return true;
	}
	(void)snprintf(err, errsz, "tools/%s.json: %s", path, ctx_message(&c));
	made.table = (struct tool_table){ .tools = no_tools, .names = no_names };
	return false;
}

const struct tool_table *
registry_loaded(void)
{
	return &made.table;
}
