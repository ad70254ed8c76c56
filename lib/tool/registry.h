/* The parts of the tool table that only lib/tool and its tests use. */
#ifndef SOUK_TOOL_REGISTRY_H
#define SOUK_TOOL_REGISTRY_H

#include "tool/tool.h"

/*
 * Replace the table by these files, ended by a NULL path.  false: err names the file, and the table is empty.  The files' texts must outlive
 * the table.  tools_init() is this for the embedded files.
 */
bool registry_load(const struct tool_file *files, char *err, size_t errsz);

/* contract.c: check one contract and fill in *t; memory comes from c's arena.  E_INVALID with a message that does not name the file. */
enum err contract_read(struct ctx *c, const struct tool_file *file, struct tool *t) __attribute__((warn_unused_result));

/* handlers.c: the handler of that name, NULL when there is none. */
tool_handler_fn *handler_find(const char *name);

#endif
