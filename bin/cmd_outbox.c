/* souk outbox: what waits to be sent, what was parked.  souk optout: who wants no messages. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cmd_rows.h"
#include "core/banned.h"
#include "gen/sql.h"

static const char *
given(struct cli *cli, const char *option)
{
	const char *v = cli_value(cli, option);

	return v != NULL ? v : "";
}

int
cmd_outbox_list(struct cli *cli)
{
	int64_t limit = 50;
	const char *v[3] = { given(cli, "status"), given(cli, "channel"), NULL };
	PGresult *r;
	int code;

	if (!cli_number(cli, "limit", 1, 10000, &limit))
		return CLI_USAGE;
	v[2] = arena_printf(&cli->arena, "%lld", (long long)limit);
	return rows_get(cli, DB_READ, &sql_outbox_list, 3, v, &r, &code) ? rows_print(cli, r) : code;
}

/* One row, or all that are parked. */
static int
change(struct cli *cli, const struct sql *q, const char *done)
{
	bool all = cli_value(cli, "parked") != NULL;
	const char *v[1] = { all ? "parked" : cli->argc > 0 ? cli->argv[0] : "" };
	PGresult *r;
	int code;

	if (all == (cli->argc > 0))
		return cli_fail(cli, CLI_USAGE, "an ID, or --parked for all that are parked, is expected");
	if (!rows_get(cli, DB_WRITE, q, 1, v, &r, &code))
		return code;
	printf("%d %s\n", PQntuples(r), done);
	return PQntuples(r) > 0 || all ? CLI_OK : cli_fail(cli, CLI_FAILED, "no row %s is parked or waits, or it is too old", v[0]);
}

int
cmd_outbox_retry(struct cli *cli)
{
	return change(cli, &sql_outbox_retry, "to be tried again");
}

int
cmd_outbox_drop(struct cli *cli)
{
	return change(cli, &sql_outbox_drop, "dropped");
}

int
cmd_optout_list(struct cli *cli)
{
	PGresult *r;
	int code;

	return rows_get(cli, DB_READ, &sql_optout_list, 0, NULL, &r, &code) ? rows_print(cli, r) : code;
}

static int
opt(struct cli *cli, const struct sql *q, const char *none)
{
	const char *v[2] = { cli->argv[0], cli->argv[1] };
	PGresult *r;
	int code;

	if (strcmp(v[0], "email") != 0 && strcmp(v[0], "sms") != 0 && strcmp(v[0], "whatsapp") != 0)
		return cli_fail(cli, CLI_USAGE, "email, sms or whatsapp is expected, not %s", v[0]);
	if (!rows_get(cli, DB_WRITE, q, 2, v, &r, &code))
		return code;
	return PQntuples(r) > 0 ? CLI_OK : cli_fail(cli, CLI_FAILED, "%s", none);
}

int
cmd_optout_add(struct cli *cli)
{
	return opt(cli, &sql_optout_add, "that is no address for this channel");
}

int
cmd_optout_remove(struct cli *cli)
{
	return opt(cli, &sql_optout_remove, "that address was not there");
}
