/* souk index: build the product search index, once or whenever products have changed. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "gen/sql.h"
#include "search/indexer.h"
#include "search/segment.h"
#include "store/db.h"

#define RETRY_S 5
#define POLL_S 30		/* changes are told; this finds those that were told while nobody listened */
#define GATHER_S 1		/* a change is seldom alone */
#define IMPORT_WAIT_MS 600000	/* leave the machine to an import for so long; it changes products all the time */

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* Changes that every process has in its own index can go: those from before the index that was replaced. */
static enum err
forget_changes(struct ctx *c, uint64_t before)
{
	const char *v = arena_printf(c->a, "%llu", (unsigned long long)before);
	PGresult *r;

	return before == 0 ? E_OK : db_write(c, &sql_index_folded, 1, &v, &r);
}

/* The transaction up to which the index at path is complete; 0 when there is none that can be used. */
static uint64_t
change_of(const char *path)
{
	const char *why;
	struct seg_file file;
	struct seg *s = seg_open(path, true, &file, &why);
	uint64_t change = s != NULL ? s->header->change : 0;

	seg_close(s);
	return change;
}

static int
build(struct cli *cli, const char *path, bool quiet)
{
	struct indexer_report r;
	uint64_t old = change_of(path);
	int64_t mb = cfg_int("INDEX_MEMORY_MB");
	enum err e;

	if (!cli_number(cli, "memory", 4, 65536, &mb))
		return CLI_USAGE;
	e = indexer_build(&cli->c, path, (size_t)mb << 20, &r);
	if (e != E_OK)
		return cli_fail_err(cli, e);
	if ((e = forget_changes(&cli->c, old)) != E_OK)
		return cli_fail_err(cli, e);
	if (!quiet) {
		printf("%s: %lld products, %.1f MB in %.1f s\n", path, (long long)r.products, (double)r.bytes / 1e6, (double)r.ms / 1e3);
		fflush(stdout);
	}
	return CLI_OK;
}

/* How many changes the index does not have yet; -1 when nobody knows. */
static int64_t
waiting(struct cli *cli, const char *path)
{
	const char *v[2] = { arena_printf(cli->c.a, "%llu", (unsigned long long)change_of(path)), "100000" };
	PGresult *r;

	if (db_exec(&cli->c, &sql_search_changes, 2, v, &r) != E_OK)
		return -1;
	return PQntuples(r) > 0 && PQgetisnull(r, 0, 0) ? 0 : PQntuples(r);
}

static bool
import_runs(struct cli *cli)
{
	const char *yes = NULL;
	size_t n;

	return db_text(&cli->c, &sql_import_running, 0, NULL, &yes, &n) == E_OK && yes != NULL && yes[0] == 't';
}

/* Until a change is told, at most so long. */
static void
rest(struct cli *cli, int64_t ms)
{
	int64_t end = now_ms() + ms;
	bool missed = false;
	char what[300] = "";

	while (!stopped && now_ms() < end && what[0] == '\0' && !missed)
		if (db_changes_wait(&cli->c, (int)(end - now_ms()), what, sizeof(what), &missed) != E_OK)
			break;
	if (!stopped)
		nanosleep(&(struct timespec){ what[0] != '\0' ? GATHER_S : now_ms() < end ? RETRY_S : 0, 0 }, NULL);
	while (what[0] != '\0' && db_changes_wait(&cli->c, 0, what, sizeof(what), &missed) == E_OK)
		continue;
}

/* Fold changes in when there are many, or when the oldest has waited long enough. */
static int
watch(struct cli *cli, const char *path, bool quiet)
{
	int64_t every_s = 60, many = 1000, last = now_ms(), wait;

	if (!cli_number(cli, "every", 1, 86400, &every_s) || !cli_number(cli, "changes", 1, 100000, &many))
		return CLI_USAGE;
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	if (db_changes_begin(&cli->c) != E_OK)
		ctx_clear_error(&cli->c);
	while (!stopped) {
		int64_t n = now_ms() - last < IMPORT_WAIT_MS && import_runs(cli) ? -1 : waiting(cli, path);

		if (n >= many || (n > 0 && now_ms() - last >= every_s * 1000)) {
			(void)build(cli, path, quiet);
			last = now_ms();
		} else if (n == 0) {
			last = now_ms();
		}
		db_rollback(&cli->c);
		ctx_clear_error(&cli->c);
		arena_reset(&cli->arena);
		wait = n < 0 ? RETRY_S * 1000 : n == 0 ? POLL_S * 1000 : last + every_s * 1000 - now_ms();
		rest(cli, wait < 1000 ? 1000 : wait > POLL_S * 1000 ? POLL_S * 1000 : wait);
	}
	return CLI_OK;
}

int
cmd_index(struct cli *cli)
{
	const char *path = cli_value(cli, "file");
	bool quiet = cli_value(cli, "quiet") != NULL, keep = cli_value(cli, "if-missing") != NULL;
	int code;

	if (path == NULL)
		path = indexer_path();
	code = keep && change_of(path) != 0 ? CLI_OK : build(cli, path, quiet);
	if (cli_value(cli, "watch") == NULL)
		return code;
	return code == CLI_OK || code == CLI_DATABASE ? watch(cli, path, quiet) : code;
}
