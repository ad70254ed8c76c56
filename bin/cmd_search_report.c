/* souk search-report: what people search, and what they do not find. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/banned.h"
#include "core/buf.h"
#include "gen/sql.h"
#include "store/db.h"

#define JSON_MAX ((size_t)16 << 20)

static const char *const columns[] = { "query", "searches", "noResult", "results", "clicks", "place" };

static void
put_json(struct buf *b, const PGresult *r)
{
	for (int i = 0; i < PQntuples(r); i++) {
		buf_puts(b, i > 0 ? ",{" : "{");
		for (int k = 0; k < (int)(sizeof(columns) / sizeof(columns[0])); k++) {
			const char *value = PQgetvalue(r, i, k);

			buf_printf(b, "%s\"%s\":", k > 0 ? "," : "", columns[k]);
			if (k == 0)
				buf_json_cstr(b, value);
			else
				buf_puts(b, strcmp(value, "-") == 0 || value[0] == '\0' ? "null" : value);
		}
		buf_putc(b, '}');
	}
}

static void
print_table(const char *title, const PGresult *r)
{
	printf("%s\n%8s  %9s  %8s  %6s  %5s  %s\n", title, "searches", "no result", "products", "clicks", "place", "query");
	for (int i = 0; i < PQntuples(r); i++)
		printf("%8s  %9s  %8s  %6s  %5s  %s\n", PQgetvalue(r, i, 1), PQgetvalue(r, i, 2), PQgetvalue(r, i, 3), PQgetvalue(r, i, 4),
		    PQgetvalue(r, i, 5), PQgetvalue(r, i, 0));
	if (PQntuples(r) == 0)
		printf("none\n");
}

int
cmd_search_report(struct cli *cli)
{
	int64_t days = 30, top = 20;
	const char *v[3];
	PGresult *most, *missing;
	struct buf b;
	enum err e;

	if (!cli_number(cli, "days", 1, 3660, &days) || !cli_number(cli, "top", 1, 1000, &top))
		return CLI_USAGE;
	db_use_owner();
	v[0] = arena_printf(&cli->arena, "%lld", (long long)days);
	v[1] = arena_printf(&cli->arena, "%lld", (long long)top);
	v[2] = "false";
	if ((e = db_begin(&cli->c, DB_READ, NULL)) != E_OK || (e = db_exec(&cli->c, &sql_search_report, 3, v, &most)) != E_OK)
		return cli_fail_err(cli, e);
	v[2] = "true";
	if ((e = db_exec(&cli->c, &sql_search_report, 3, v, &missing)) != E_OK)
		return cli_fail_err(cli, e);
	db_rollback(&cli->c);
	if (cli_value(cli, "json") == NULL) {
		print_table("searched most", most);
		print_table("\nwithout result", missing);
		return CLI_OK;
	}
	buf_init(&b, &cli->arena, 1024, JSON_MAX);
	buf_printf(&b, "{\"days\":%lld,\"most\":[", (long long)days);
	put_json(&b, most);
	buf_puts(&b, "],\"withoutResult\":[");
	put_json(&b, missing);
	buf_puts(&b, "]}");
	printf("%s\n", buf_str(&b));
	return CLI_OK;
}
