/*
 * SQL files run whole over a connection of their own, as the owner: migrations, functions, the demo shop.  Files hold several
 * statements and go through the simple query protocol; errors are shown with file and line, since only the owner sees them.
 */
#ifndef SOUK_BIN_CMD_SQLFILE_H
#define SOUK_BIN_CMD_SQLFILE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "store/sql.h"

#define SQLFILES_MAX 2000

struct sqlfile {
	char name[128];		/* without the folder */
	int version;		/* its number, 0 without one */
	char checksum[65];	/* SHA-256 of its bytes */
	char *text;
	size_t n;
};

struct sqlfiles {
	char dir[4096];
	struct sqlfile *f;	/* in the order of their names */
	size_t n;
};

/* Read all *.sql of sql/SUB ("migrations") or the one file sql/SUB when it ends in .sql.  CLI_OK, or told on standard error. */
int sqlfiles_read(const struct cli *cli, const char *sub, struct sqlfiles *out);
void sqlfiles_release(struct sqlfiles *fs);

/* Connect as the owner.  NULL: told. */
PGconn *sql_connect(const struct cli *cli);

/* Run a named statement, or a file.  NULL / false: told. */
PGresult *sql_run(const struct cli *cli, PGconn *pg, const struct sql *q, int n, const char *const *v);
bool sql_do(const struct cli *cli, PGconn *pg, const struct sql *q);
bool sql_file(const struct cli *cli, PGconn *pg, const struct sqlfile *f);

/* Begin and take the runner's lock; end. */
bool sql_begin_locked(const struct cli *cli, PGconn *pg);
bool sql_commit(const struct cli *cli, PGconn *pg);

#endif
