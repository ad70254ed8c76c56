/* souk rates: what one unit of the shop's currency is in others; price filters compare by it, nothing is sold by it. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/banned.h"
#include "core/config.h"
#include "core/money.h"
#include "gen/sql.h"
#include "store/db.h"

#define DECIMALS 8

static int
list(struct cli *cli)
{
	PGresult *r;
	enum err e = db_exec(&cli->c, &sql_currency_rate_list, 0, NULL, &r);

	if (e != E_OK)
		return cli_fail_err(cli, e);
	for (int i = 0; i < PQntuples(r); i++)
		printf("1 %s = %s %s  since %s\n", cfg_str("SHOP_CURRENCY"), PQgetvalue(r, i, 1), PQgetvalue(r, i, 0), PQgetvalue(r, i, 2));
	if (PQntuples(r) == 0)
		printf("no rates: prices are compared within their own currency only\n");
	return CLI_OK;
}

int
cmd_rates(struct cli *cli)
{
	const char *v[2] = { cli->argc > 0 ? cli->argv[0] : NULL, cli->argc > 1 ? cli->argv[1] : NULL };
	int64_t rate;
	PGresult *r;
	enum err e;

	db_use_owner();
	if (cli->argc == 0)
		return list(cli);
	if (cli->argc != 2 || money_scale(v[0]) < 0)
		return cli_fail(cli, CLI_USAGE, "a currency (ISO 4217) and its rate, or drop, are expected");
	if (strcmp(v[0], cfg_str("SHOP_CURRENCY")) == 0)
		return cli_fail(cli, CLI_USAGE, "%s is the shop's own currency: its rate is 1", v[0]);
	if (strcmp(v[1], "drop") == 0)
		e = db_write(&cli->c, &sql_currency_rate_drop, 1, v, &r);
	else if (!money_parse(v[1], strlen(v[1]), DECIMALS, &rate) || rate <= 0 || rate > INT64_C(1000000000) * 100000000)
		return cli_fail(cli, CLI_USAGE, "%s: a positive number with at most %d decimals is expected", v[1], DECIMALS);
	else
		e = db_write(&cli->c, &sql_currency_rate_set, 2, v, &r);
	return e == E_OK ? CLI_OK : cli_fail_err(cli, e);
}
