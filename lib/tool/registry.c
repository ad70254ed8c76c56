/* The tool table: built once at start, read-only afterwards. */
#include "tool/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"

#define REGISTRY_MEMORY_MAX (32u << 20)

struct name_row {
	const char *name;	/* own name or alias */
	const struct tool *tool;
};

static struct {
	struct arena arena;
	bool loaded;
	struct tool *tools;
	struct name_row *names;	/* sorted */
	size_t ntools, nnames;
} registry;

static const struct tool no_tools[1];

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct name_row *)a)->name, ((const struct name_row *)b)->name);
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
	registry.tools = arena_zalloc(c->a, n + 1, sizeof(*registry.tools));
	for (size_t rank = 0; rank <= servers; rank++)
		for (size_t i = 0; i < n; i++) {
			char server[64];

			(void)snprintf(server, sizeof(server), "%.*s", (int)strcspn(files[i].path, "/"), files[i].path);
			if (server_rank(server) != rank)
				continue;
			*path = files[i].path;
			if (contract_read(c, &files[i], &registry.tools[registry.ntools]))
				return c->err;
			registry.ntools++;
		}
	return E_OK;
}

static enum err
index_names(struct ctx *c, const char **path)
{
	size_t n = 0;

	for (size_t i = 0; i < registry.ntools; i++) {
		const struct tool *t = &registry.tools[i];

		n++;
		for (size_t k = 0; t->aliases[k] != NULL; k++)
			n++;
	}
	registry.names = arena_zalloc(c->a, n + 1, sizeof(*registry.names));
	for (size_t i = 0; i < registry.ntools; i++) {
		const struct tool *t = &registry.tools[i];

		registry.names[registry.nnames++] = (struct name_row){ t->name, t };
		for (size_t k = 0; t->aliases[k] != NULL; k++)
			registry.names[registry.nnames++] = (struct name_row){ t->aliases[k], t };
	}
	qsort(registry.names, n, sizeof(*registry.names), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(registry.names[i - 1].name, registry.names[i].name) == 0) {
			*path = registry.names[i].tool->path;
			return fail(c, E_INVALID, "the name \"%s\" belongs to %s too", registry.names[i].name,
				registry.names[i - 1].tool->path);
		}
	return E_OK;
}

static void
registry_empty(void)
{
	if (registry.loaded)
		arena_release(&registry.arena);
	registry.loaded = false;
	registry.tools = NULL;
	registry.names = NULL;
	registry.ntools = registry.nnames = 0;
}

bool
registry_load(const struct tool_file *files, char *err, size_t errsz)
{
	struct ctx c = { .a = &registry.arena };
	const char *path = "";

	registry_empty();
	arena_init(&registry.arena, REGISTRY_MEMORY_MAX);
	registry.loaded = true;
	if (read_all(&c, files, &path) == E_OK && index_names(&c, &path) == E_OK)
		return true;
	(void)snprintf(err, errsz, "tools/%s.json: %s", path, ctx_message(&c));
	registry_empty();
	return false;
}

bool
tools_init(char *err, size_t errsz)
{
	return registry_load(tool_files, err, errsz);
}

const struct tool *
tools_all(void)
{
	return registry.tools != NULL ? registry.tools : no_tools;
}

const struct tool *
tool_find(const char *name)
{
	struct name_row key = { name, NULL };
	const struct name_row *row;

	if (registry.nnames == 0)
		return NULL;
	row = bsearch(&key, registry.names, registry.nnames, sizeof(*registry.names), by_name);
	return row != NULL ? row->tool : NULL;
}

static const struct tool_listing *
listing_of(const struct tool *t, const char *server)
{
	for (const struct tool_listing *l = t->listings; l->server != NULL; l++)
		if (strcmp(l->server, server) == 0)
			return l;
	return NULL;
}

bool
tool_listed(const struct tool *t, const char *server, const char **listed_as)
{
	const struct tool_listing *l;

	*listed_as = t->name;
	if (server == NULL || server[0] == '\0')
		return t->listings[0].server != NULL;
	l = listing_of(t, server);
	if (l != NULL)
		*listed_as = l->name;
	return l != NULL;
}

const char *
tool_entry(const struct tool *t, const char *server, size_t *n)
{
	const struct tool_listing *l;

	*n = 0;
	if (server == NULL || server[0] == '\0') {
		if (t->listings[0].server == NULL)
			return NULL;
		*n = strlen(t->list_json);
		return t->list_json;
	}
	l = listing_of(t, server);
	if (l == NULL)
		return NULL;
	*n = l->n;
	return l->json;
}
