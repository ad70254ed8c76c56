/* souk import: a file into the catalogue or the orders, with progress, a summary, and each bad row told. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_sqlfile.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/money.h"
#include "gen/sql.h"
#include "search/indexer.h"
#include "shop/import.h"

#define FOREGROUND_MAX 20000	/* changed products that PostgreSQL indexes for search before the command ends */

struct view {
	const struct cli *cli;
	bool terminal, quiet;
	bool drawn;		/* a progress line is on the screen */
	int64_t began_ms, shown, show_max;
};

static PGconn *
connect_more(void *arg)
{
	const struct view *v = arg;

	return sql_connect(v->cli);
}

/* ---- what the user sees meanwhile ---- */

static void
wipe(struct view *v)
{
	if (v->drawn)
		fputs("\r\033[K", stderr);
	v->drawn = false;
}

static void
print_time(int64_t s)
{
	if (s >= 3600)
		fprintf(stderr, "%lld h %02lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
	else if (s >= 60)
		fprintf(stderr, "%lld min %02lld s", (long long)(s / 60), (long long)(s % 60));
	else
		fprintf(stderr, "%lld s", (long long)s);
}

static void
on_progress(void *arg, const struct import *im, const char *phase)
{
	struct view *v = arg;
	int64_t done, total, ms = now_ms() - v->began_ms;

	if (!v->terminal || v->quiet || ms < 500)
		return;
	source_progress(im->src, &done, &total);
	fprintf(stderr, "\r\033[K%s: %lld rows, %lld/s", phase, (long long)im->report.rows, (long long)(im->report.rows * 1000 / ms));
	if (total > 0 && done > 0 && done < total) {
		fprintf(stderr, ", %lld %%, ", (long long)(done * 100 / total));
		print_time(ms * (total - done) / done / 1000 + 1);
		fputs(" left", stderr);
	}
	if (im->report.bad > 0)
		fprintf(stderr, ", %lld bad", (long long)im->report.bad);
	v->drawn = true;
}

static void
on_bad(void *arg, const struct report_row *r)
{
	struct view *v = arg;

	wipe(v);
	if (v->shown++ >= v->show_max)
		return;
	fprintf(stderr, "line %lld%s%s: %s\n", (long long)r->line, r->column[0] != '\0' ? ", " : "", r->column, r->reason);
}

static void
summary(const struct cli *cli, const struct import *im, const struct view *v, const char *file, bool orders)
{
	const struct report *r = &im->report;
	double s = (double)(now_ms() - v->began_ms) / 1000.0;
	const char *would = im->dry_run ? "would be " : "";

	(void)cli;
	if (v->shown > v->show_max)
		fprintf(stderr, "... and %lld more bad rows\n", (long long)(v->shown - v->show_max));
	printf("%s: %s%s%s%s\n", file, format_name(im->src->format), bytes_gzip(im->src->bytes) ? " in gzip" : "",
	    im->layout[0] != '\0' ? ", " : "", im->layout);
	if (im->src->has_text && strcmp(source_encoding(im->src), "UTF-8") != 0)
		printf("read as %s\n", source_encoding(im->src));
	if (im->unused[0] != '\0')
		printf("columns not used: %s\n", im->unused);
	printf("%lld rows in %.1f s (%lld/s)\n", (long long)r->rows, s, (long long)(s > 0 ? (double)r->rows / s : 0));
	printf("%s: %lld %screated, %lld %supdated, %lld unchanged\n", orders ? "orders" : "products", (long long)r->created, would,
	    (long long)r->updated, would, (long long)r->unchanged);
	if (r->variants_created + r->variants_updated + r->variants_unchanged > 0)
		printf("variants: %lld %screated, %lld %supdated, %lld unchanged\n", (long long)r->variants_created, would,
		    (long long)r->variants_updated, would, (long long)r->variants_unchanged);
	if (r->repeated > 0)
		printf("%lld rows were followed by another one of the same SKU, which counts\n", (long long)r->repeated);
	printf("bad rows: %lld%s\n", (long long)r->bad, r->bad > 0 ? im->dry_run ? "" : " (left out)" : "");
	if (im->dry_run)
		printf("dry run: nothing has been changed\n");
	fflush(stdout);
}

/* ---- search ---- */

static int64_t
number(const struct cli *cli, PGconn *pg, const struct sql *q, int n, const char *const *v)
{
	PGresult *r = sql_run(cli, pg, q, n, v);
	int64_t out = r != NULL ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : -1;

	PQclear(r);
	return out;
}

/* Index what waits; another process may take a part of it. */
static bool
refresh(const struct cli *cli, PGconn *pg, struct view *v, int64_t waiting)
{
	static const char *const batch[] = { "2000" };
	int64_t n, done = 0, began = now_ms();

	while ((n = number(cli, pg, &sql_search_refresh, 1, batch)) > 0) {
		done += n;
		if (v == NULL)
			usleep((useconds_t)((now_ms() - began) * 1000));	/* leave the shop its share */
		began = now_ms();
		if (v == NULL || !v->terminal || v->quiet)
			continue;
		fprintf(stderr, "\r\033[Kindexing for search: %lld of %lld", (long long)done, (long long)waiting);
		v->drawn = true;
	}
	if (v != NULL)
		wipe(v);
	return n == 0;
}

/* A large catalogue is indexed by a process of its own, so that the import ends when the rows are in. */
static void
refresh_behind(const struct cli *cli, int64_t waiting)
{
	PGconn *pg;
	pid_t child;

	fflush(NULL);
	if ((child = fork()) == 0) {
		if (fork() != 0 || setsid() < 0)
			_exit(0);
		if (freopen("/dev/null", "r", stdin) == NULL || freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		if ((pg = sql_connect(cli)) != NULL)
			(void)refresh(cli, pg, NULL, waiting);
		PQfinish(pg);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	printf("%lld changed products are being indexed for search in the background (--wait waits for it)\n", (long long)waiting);
}

static bool
make_searchable(const struct cli *cli, PGconn *pg, struct view *v)
{
	int64_t waiting = number(cli, pg, &sql_search_waiting, 0, NULL);
	/* where there is an index file, it answers, and PostgreSQL only stands in for it */
	int64_t most = access(indexer_path(), R_OK) == 0 ? 0 : FOREGROUND_MAX;

	if (waiting > most && cli_value(cli, "wait") == NULL)
		refresh_behind(cli, waiting);
	else if (waiting > 0)
		return refresh(cli, pg, v, waiting);
	return waiting >= 0;
}

/* ---- the command ---- */

static bool
read_options(struct cli *cli, struct import *im, enum format *format, struct view *v)
{
	const char *currency = cli_value(cli, "currency"), *locale = cli_value(cli, "locale"), *f = cli_value(cli, "format");
	const char *status = cli_value(cli, "status");

	*format = f != NULL ? format_find(f) : FORMAT_AUTO;
	if (*format == FORMAT__MAX) {
		cli_fail(cli, CLI_USAGE, "--format: one of auto, csv, tsv, json, jsonl, xlsx is expected");
		return false;
	}
	currency = currency != NULL ? currency : cfg_str("SHOP_CURRENCY");
	snprintf(im->opt.currency, sizeof(im->opt.currency), "%s", strlen(currency) == 3 ? currency : "???");
	if (money_scale(im->opt.currency) < 0) {
		cli_fail(cli, CLI_USAGE, "--currency: an ISO 4217 code such as EUR is expected");
		return false;
	}
	im->opt.locale_given = locale != NULL;
	locale = locale != NULL ? locale : cfg_str("SHOP_LOCALE");
	if (strlen(locale) != 2 || strstr("fr en es de it nl pt", locale) == NULL) {
		cli_fail(cli, CLI_USAGE, "--locale: a language such as fr is expected");
		return false;
	}
	snprintf(im->opt.locale, sizeof(im->opt.locale), "%s", locale);
	im->opt.decimal = value_decimal(locale);
	im->status = status != NULL ? status : "DELIVERED";
	if (strstr(" PENDING PROCESSING PAID SHIPPED DELIVERED CANCELLED ", im->status) == NULL || strlen(im->status) < 4) {
		cli_fail(cli, CLI_USAGE, "--status: one of PENDING, PROCESSING, PAID, SHIPPED, DELIVERED, CANCELLED is expected");
		return false;
	}
	im->dry_run = cli_value(cli, "dry-run") != NULL;
	v->quiet = cli_value(cli, "quiet") != NULL;
	v->terminal = isatty(STDERR_FILENO) == 1;
	v->show_max = 20;
	return cli_number(cli, "stock", 0, 1000000000, &im->stock) && cli_number(cli, "errors", 0, 1000000, &v->show_max);
}

static int
write_report(const struct cli *cli, const struct import *im, const struct view *v, bool orders)
{
	const char *path = cli_value(cli, "report");
	FILE *f = path == NULL ? NULL : strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (path == NULL)
		return CLI_OK;
	if (f == NULL)
		return cli_fail(cli, CLI_FAILED, "%s: %s", path, strerror(errno));
	report_json(&im->report, f, cli->argv[0], im->dry_run, orders, (double)(now_ms() - v->began_ms) / 1000.0);
	return (f == stdout ? fflush(f) : fclose(f)) == 0 ? CLI_OK : cli_fail(cli, CLI_FAILED, "%s: %s", path, strerror(errno));
}

static int
finish(struct cli *cli, struct import *im, struct view *v, enum import_result result, bool orders)
{
	const char *file = strcmp(cli->argv[0], "-") == 0 ? "standard input" : cli->argv[0];
	int code;

	wipe(v);
	if (result != IMPORT_UNUSABLE || im->report.rows > 0)
		summary(cli, im, v, file, orders);
	code = write_report(cli, im, v, orders);
	if (result == IMPORT_UNUSABLE)
		return cli_fail(cli, CLI_UNUSABLE, "%s: %s", file, im->why);
	if (result == IMPORT_DATABASE)
		return cli_fail(cli, CLI_DATABASE, "%s (what was committed before stays; run the import again)", im->why);
	if (!im->dry_run && !orders && !make_searchable(cli, im->pg, v))
		return CLI_DATABASE;
	return code != CLI_OK ? code : im->report.bad > 0 ? CLI_FAILED : CLI_OK;
}

int
cmd_import(struct cli *cli)
{
	bool orders = cli_value(cli, "orders") != NULL;
	struct import *im = calloc(1, sizeof(*im));
	struct view v = { 0 };
	enum format format;
	int code;

	if (im == NULL || !read_options(cli, im, &format, &v)) {
		free(im);
		return CLI_USAGE;
	}
	v.began_ms = now_ms();
	v.cli = cli;
	im->connect = connect_more;
	im->progress = on_progress;
	im->report.on_bad = on_bad;
	im->arg = im->report.arg = &v;
	im->src = source_open(cli->argv[0], format);
	if (im->src->reader == NULL)
		code = cli_fail(cli, CLI_UNUSABLE, "%s: %s", cli->argv[0], im->src->why);
	else if ((im->pg = sql_connect(cli)) == NULL)
		code = CLI_DATABASE;
	else
		code = finish(cli, im, &v, orders ? import_orders(im) : import_products(im), orders);
	PQfinish(im->pg);
	PQfinish(im->pg2);
	source_close(im->src);
	report_release(&im->report);
	free(im);
	return code;
}
