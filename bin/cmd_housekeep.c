/* souk housekeep: what a nightly cron does to the database. */
#include <stdio.h>

#include "cli.h"
#include "core/banned.h"
#include "gen/sql.h"
#include "store/db.h"

int
cmd_housekeep(struct cli *cli)
{
	const char *counts = NULL;
	size_t n;
	enum err e;

	db_use_owner();
	e = db_call(&cli->c, DB_WRITE, NULL, &sql_housekeep, 0, NULL, &counts, &n);
	if (e != E_OK)
		return cli_fail_err(cli, e);
	printf("%s\n", counts);
	return CLI_OK;
}
