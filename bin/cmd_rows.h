/* Commands that are one statement: running it as the shop itself, and printing its rows. */
#ifndef SOUK_BIN_CMD_ROWS_H
#define SOUK_BIN_CMD_ROWS_H

#include "cli.h"
#include "store/db.h"

/* Run it in a transaction of its own, for the system.  false: told; return *code. */
bool rows_get(struct cli *cli, enum db_mode mode, const struct sql *q, int n, const char *const *v, PGresult **out, int *code);

/* The rows as a table under the names of their columns, or as a JSON array with --json (the command has such an option). */
int rows_print(struct cli *cli, PGresult *r);

#endif
