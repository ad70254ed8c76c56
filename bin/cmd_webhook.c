/* souk webhook: where signed events are sent, and what came of it. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cmd_rows.h"
#include "core/banned.h"
#include "gen/sql.h"
#include "notify/webhook.h"
#include "store/fetch.h"

#define SALT_BYTES 16

static void
new_salt(char out[SALT_BYTES * 2 + 1])
{
	unsigned char raw[SALT_BYTES];

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2hex(out, SALT_BYTES * 2 + 1, raw, sizeof(raw));
}

static const char *
given(struct cli *cli, const char *option)
{
	const char *v = cli_value(cli, option);

	return v != NULL ? v : "";
}

/* The secret is printed when it is made, and never again. */
static int
print_secret(struct cli *cli, const char *id, const char *secret)
{
	if (cli_value(cli, "json") != NULL)
		printf("{\"id\":\"%s\",\"secret\":\"%s\"}\n", id, secret);
	else
		printf("%s\n", secret);
	fprintf(stderr, "souk: keep this secret, it is not shown again (endpoint %s)\n", id);
	return CLI_OK;
}

int
cmd_webhook_add(struct cli *cli)
{
	char salt[SALT_BYTES * 2 + 1], secret[WEBHOOK_SECRET_MAX];
	const char *v[4] = { cli->argv[0], given(cli, "events"), given(cli, "description"), salt }, *why;
	PGresult *r;
	int code;

	if (v[1][0] == '\0')
		v[1] = "*";
	if ((why = fetch_url_fault(v[0], true)) != NULL)
		return cli_fail(cli, CLI_USAGE, "%s: %s", v[0], why);
	new_salt(salt);
	if (webhook_secret(&cli->c, "0", salt, secret) != E_OK)	/* can one be made at all? */
		return cli_fail_err(cli, cli->c.err);
	if (!rows_get(cli, DB_WRITE, &sql_webhook_add, 4, v, &r, &code))
		return code;
	if (PQntuples(r) == 0)
		return cli_fail(cli, CLI_USAGE, "--events: names such as order.paid,order.shipped, or *, are expected (docs/webhooks.md)");
	if (webhook_secret(&cli->c, PQgetvalue(r, 0, 0), salt, secret) != E_OK)
		return cli_fail_err(cli, cli->c.err);
	return print_secret(cli, PQgetvalue(r, 0, 0), secret);
}

int
cmd_webhook_list(struct cli *cli)
{
	PGresult *r;
	int code;

	return rows_get(cli, DB_READ, &sql_webhook_list, 0, NULL, &r, &code) ? rows_print(cli, r) : code;
}

int
cmd_webhook_rotate(struct cli *cli)
{
	char salt[SALT_BYTES * 2 + 1], secret[WEBHOOK_SECRET_MAX];
	int64_t overlap_s = 86400;
	const char *v[3] = { cli->argv[0], salt, NULL };
	PGresult *r;
	int code;

	if (!cli_duration(cli, "overlap", &overlap_s))
		return CLI_USAGE;
	new_salt(salt);
	v[2] = arena_printf(&cli->arena, "%lld", (long long)overlap_s);
	if (webhook_secret(&cli->c, v[0], salt, secret) != E_OK)
		return cli_fail_err(cli, cli->c.err);
	if (!rows_get(cli, DB_WRITE, &sql_webhook_rotate, 3, v, &r, &code))
		return code;
	if (PQntuples(r) == 0)
		return cli_fail(cli, CLI_FAILED, "there is no endpoint %s", v[0]);
	return print_secret(cli, v[0], secret);
}

static int
able(struct cli *cli, const char *how)
{
	const char *v[2] = { cli->argv[0], how };
	PGresult *r;
	int code;

	if (!rows_get(cli, DB_WRITE, &sql_webhook_able, 2, v, &r, &code))
		return code;
	return PQntuples(r) > 0 ? CLI_OK : cli_fail(cli, CLI_FAILED, "there is no endpoint %s", v[0]);
}

int
cmd_webhook_enable(struct cli *cli)
{
	return able(cli, "on");
}

int
cmd_webhook_disable(struct cli *cli)
{
	return able(cli, "off");
}

int
cmd_webhook_remove(struct cli *cli)
{
	return able(cli, "remove");
}

int
cmd_webhook_test(struct cli *cli)
{
	const char *v[1] = { cli->argv[0] };
	PGresult *r;
	int code;

	if (!rows_get(cli, DB_WRITE, &sql_webhook_test, 1, v, &r, &code))
		return code;
	if (PQntuples(r) == 0)
		return cli_fail(cli, CLI_FAILED, "there is no endpoint %s", v[0]);
	printf("%s\n", PQgetvalue(r, 0, 0));
	return CLI_OK;
}

int
cmd_webhook_log(struct cli *cli)
{
	int64_t limit = 50;
	const char *v[3] = { cli->argc > 0 ? cli->argv[0] : "", given(cli, "event"), NULL };
	PGresult *r;
	int code;

	if (!cli_number(cli, "limit", 1, 10000, &limit))
		return CLI_USAGE;
	v[2] = arena_printf(&cli->arena, "%lld", (long long)limit);
	return rows_get(cli, DB_READ, &sql_webhook_log, 3, v, &r, &code) ? rows_print(cli, r) : code;
}

int
cmd_webhook_resend(struct cli *cli)
{
	const char *v[2] = { cli->argv[0], given(cli, "endpoint") };
	PGresult *r;
	int code;

	if (!rows_get(cli, DB_WRITE, &sql_webhook_resend, 2, v, &r, &code))
		return code;
	printf("queued for %d endpoint%s\n", PQntuples(r), PQntuples(r) == 1 ? "" : "s");
	return PQntuples(r) > 0 ? CLI_OK : cli_fail(cli, CLI_FAILED, "no endpoint in use is waiting for the event %s", v[0]);
}
