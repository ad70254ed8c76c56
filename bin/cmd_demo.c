/* souk demo: the demo shop, into a shop that has nothing yet, and the facts that its pictures are drawn from. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cmd_sqlfile.h"
#include "core/banned.h"
#include "core/clock.h"
#include "gen/sql.h"

/* 1 loaded, 0 the shop has products, -1 told */
static int
load(const struct cli *cli, PGconn *pg, const struct sqlfiles *fs)
{
	PGresult *r;
	bool empty;
	size_t i;

	if (!sql_begin_locked(cli, pg) || (r = sql_run(cli, pg, &sql_demo_empty, 0, NULL)) == NULL)
		return -1;
	empty = strcmp(PQgetvalue(r, 0, 0), "t") == 0;
	PQclear(r);
	if (!empty)
		return 0;
	for (i = 0; i < fs->n; i++) {
		if (!sql_file(cli, pg, &fs->f[i]))
			return -1;
	}
	return sql_commit(cli, pg) ? 1 : -1;
}

int
cmd_demo_load(struct cli *cli)
{
	int64_t began = now_ms();
	struct sqlfiles fs;
	PGconn *pg = NULL;
	int rc, code = sqlfiles_read(cli, "demo", &fs);

	if (code == CLI_OK && fs.n == 0)
		code = cli_fail(cli, CLI_UNUSABLE, "%s: there is no demo shop", fs.dir);
	if (code == CLI_OK && (pg = sql_connect(cli)) == NULL)
		code = CLI_DATABASE;
	if (code == CLI_OK) {
		rc = load(cli, pg, &fs);
		if (rc > 0)
			printf("demo shop loaded (%lld ms)\n", (long long)(now_ms() - began));
		else if (rc == 0)
			printf("the shop has products already: nothing loaded\n");
		code = rc < 0 ? CLI_DATABASE : CLI_OK;
	}
	PQfinish(pg);
	sqlfiles_release(&fs);
	return code;
}

/* Columns are separated by tabs, rows by line ends; neither may come out of a value. */
static void
print_row(const PGresult *r, int row)
{
	const char *s;
	int column;

	for (column = 0; column < PQnfields(r); column++) {
		if (column > 0)
			putchar('\t');
		for (s = PQgetvalue(r, row, column); *s != '\0'; s++)
			putchar((unsigned char)*s < ' ' ? ' ' : *s);
	}
	putchar('\n');
}

int
cmd_demo_drawings(struct cli *cli)
{
	PGconn *pg = sql_connect(cli);
	PGresult *r = pg != NULL ? sql_run(cli, pg, &sql_product_drawings, 0, NULL) : NULL;
	int row, code = r != NULL ? CLI_OK : CLI_DATABASE;

	for (row = 0; row < PQntuples(r); row++)
		print_row(r, row);
	PQclear(r);
	PQfinish(pg);
	return code;
}
