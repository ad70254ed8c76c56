/* souk export: products or orders as a stream that souk import reads back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core/banned.h"
#include "gen/sql.h"
#include "shop/sniff.h"
#include "store/db.h"
#include "store/db_copy.h"

struct sink {
	struct ctx *c;
	FILE *f;
	bool array;		/* lines become elements of a JSON array */
	int64_t rows;
};

/* One row with its newline. */
static enum err
put(void *arg, const char *p, size_t n)
{
	struct sink *s = arg;

	if (s->array) {
		while (n > 0 && p[n - 1] == '\n')
			n--;
		fputs(s->rows == 0 ? "[\n" : ",\n", s->f);
	}
	s->rows++;
	if (fwrite(p, 1, n, s->f) == n)
		return E_OK;
	return fail(s->c, E_INVALID, "cannot write: %s", strerror(errno));
}

static enum err
copy(struct cli *cli, const struct sql *view, const struct sql *out, struct sink *s)
{
	PGresult *r;
	enum err e;

	if ((e = db_begin(&cli->c, DB_WRITE, NULL)) != E_OK)
		return e;
	if ((e = db_exec(&cli->c, &sql_export_session, 0, NULL, &r)) == E_OK && (e = db_exec(&cli->c, view, 0, NULL, &r)) == E_OK)
		e = db_copy_out(&cli->c, out, put, s, NULL);
	/* The view is temporary and nothing was changed. */
	db_rollback(&cli->c);
	if (e == E_OK && s->array)
		fputs(s->rows == 0 ? "[]\n" : "\n]\n", s->f);
	return e;
}

int
cmd_export(struct cli *cli)
{
	bool orders = strcmp(cli->cmd->name, "export orders") == 0;
	const char *format = cli_value(cli, "format"), *path = cli_value(cli, "output");
	enum format f = format != NULL ? format_find(format) : FORMAT_CSV;
	const struct sql *out = f == FORMAT_CSV ? &sql_export_csv : f == FORMAT_TSV ? &sql_export_tsv : &sql_export_jsonl;
	struct sink s = { &cli->c, stdout, f == FORMAT_JSON, 0 };
	enum err e;
	int fd;

	if (f == FORMAT_AUTO || f == FORMAT_XLSX || f == FORMAT__MAX)
		return cli_fail(cli, CLI_USAGE, "--format: one of csv, tsv, jsonl, json is expected");
	if (path != NULL) {
		/* orders are nobody else's business */
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, orders ? 0600 : 0644);
		if (fd < 0 || (s.f = fdopen(fd, "w")) == NULL)
			return cli_fail(cli, CLI_UNUSABLE, "%s: %s", path, strerror(errno));
	}
	e = copy(cli, orders ? &sql_export_orders_view : &sql_export_products_view, out, &s);
	if ((path != NULL ? fclose(s.f) : fflush(s.f)) != 0 && e == E_OK)
		return cli_fail(cli, CLI_UNUSABLE, "%s: %s", path != NULL ? path : "standard output", strerror(errno));
	return e == E_OK ? CLI_OK : cli_fail_err(cli, e);
}
