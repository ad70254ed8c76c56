/* Commands that are one statement; see cmd_rows.h. */
#include "cmd_rows.h"

#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"

#define COLUMNS_MAX 16
#define WIDTH_MAX 60

bool
rows_get(struct cli *cli, enum db_mode mode, const struct sql *q, int n, const char *const *v, PGresult **out, int *code)
{
	if (db_rows(&cli->c, mode, NULL, q, n, v, out) == E_OK)
		return true;
	*code = cli_fail_err(cli, cli->c.err);
	return false;
}

static int
print_json(struct cli *cli, PGresult *r)
{
	struct buf b;

	buf_init(&b, &cli->arena, 4096, (size_t)64 << 20);
	buf_putc(&b, '[');
	for (int i = 0; i < PQntuples(r); i++) {
		buf_puts(&b, i > 0 ? ",\n{" : "{");
		for (int k = 0; k < PQnfields(r); k++) {
			if (k > 0)
				buf_putc(&b, ',');
			buf_json_cstr(&b, PQfname(r, k));
			buf_putc(&b, ':');
			buf_json_cstr(&b, PQgetisnull(r, i, k) ? NULL : PQgetvalue(r, i, k));
		}
		buf_putc(&b, '}');
	}
	printf("%s]\n", buf_str(&b));
	return CLI_OK;
}

/* Characters, not bytes, so that columns stay straight. */
static int
width_of(const char *s)
{
	return (int)utf8_length(s, strlen(s));
}

static void
print_cell(const char *s, int width, bool last)
{
	printf("%s", s);
	if (last)
		putchar('\n');
	else
		printf("%*s", width - width_of(s) + 2 > 2 ? width - width_of(s) + 2 : 2, "");
}

int
rows_print(struct cli *cli, PGresult *r)
{
	int columns = PQnfields(r) < COLUMNS_MAX ? PQnfields(r) : COLUMNS_MAX, width[COLUMNS_MAX], w;

	if (cli_value(cli, "json") != NULL)
		return print_json(cli, r);
	for (int k = 0; k < columns; k++) {
		width[k] = width_of(PQfname(r, k));
		for (int i = 0; i < PQntuples(r); i++)
			if ((w = width_of(PQgetvalue(r, i, k))) > width[k] && w <= WIDTH_MAX)
				width[k] = w;
	}
	for (int k = 0; k < columns; k++)
		print_cell(PQfname(r, k), width[k], k == columns - 1);
	for (int i = 0; i < PQntuples(r); i++)
		for (int k = 0; k < columns; k++)
			print_cell(PQgetvalue(r, i, k), width[k], k == columns - 1);
	return CLI_OK;
}
