/*
 * The parts of the tool table that only lib/tool, its tests and tools/embed.c use.
 *
 * tools/embed.c reads the contracts while souk is built, checks them with registry_load() and writes what that made as constants (tool_table); no
 * program that is installed holds the code that checks contracts.
 */
#ifndef SOUK_TOOL_REGISTRY_H
#define SOUK_TOOL_REGISTRY_H

#include "tool/tool.h"

/* A contract and its statement as they are in the files. */
struct tool_file {
	const char *path;	/* "catalog/search_products" */
	const char *json;	/* the contract's text */
	struct sql sql;		/* text NULL: served by x-handler */
};

struct tool_name {
	const char *name;	/* own name or alias */
	const struct tool *tool;
};

struct tool_table {
	const struct tool *tools;	/* as tools_all() */
	const struct tool_name *names;	/* sorted by strcmp() */
	size_t ntools, nnames;
};

/* What is built in: build/gen/tools.c, written by tools/embed.c. */
extern const struct tool_table tool_table;

/* Use this table from now on; it must stay where it is. */
void registry_use(const struct tool_table *table);

/*
 * load.c: check these files, ended by a NULL path, and use what they declare from now on, in the order of tools_all().  false: err names the file, and
 * the table is empty.  The files' texts must outlive the table.
 */
bool registry_load(const struct tool_file *files, char *err, size_t errsz);
/* What registry_load() made last. */
const struct tool_table *registry_loaded(void);

/* contract.c: check one contract and fill in *t; memory comes from c's arena.  E_INVALID with a message that does not name the file. */
enum err contract_read(struct ctx *c, const struct tool_file *file, struct tool *t) __attribute__((warn_unused_result));

/* handlers.c: the handler of that name, NULL when there is none; what the function is called in C. */
tool_handler_fn *handler_find(const char *name);
const char *handler_symbol(tool_handler_fn *fn);

#endif
