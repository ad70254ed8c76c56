/* souk housekeep: what a nightly cron does to the database. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/banned.h"
#include "core/config.h"
#include "gen/sql.h"
#include "store/db.h"

/* Each round is a short transaction of its own: a shop that forgot its cron for a year is not held up when it remembers. */
int
cmd_housekeep(struct cli *cli)
{
	char hours[24];
	const char *v[] = { hours };
	PGresult *r = NULL;
	enum err e;

	db_use_owner();
	snprintf(hours, sizeof hours, "%" PRId64, cfg_int("IDEMPOTENCY_KEEP_H"));
	do {
		e = db_write(&cli->c, &sql_housekeep, 1, v, &r);
		if (e != E_OK)
			return cli_fail_err(cli, e);
		printf("%s\n", PQgetvalue(r, 0, 0));
	} while (strcmp(PQgetvalue(r, 0, 1), "true") == 0);
	return CLI_OK;
}
