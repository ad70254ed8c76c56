/* souk index: build the product search index, once or whenever products have changed. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "gen/sql.h"
#include "search/indexer.h"
#include "search/recent.h"
#include "search/segment.h"
#include "store/db.h"

#define RETRY_S 5
#define POLL_S 30		/* changes are told; this finds those that were told while nobody listened */
#define GATHER_S 1		/* a change is seldom alone */
#define NICENESS 5		/* searches come first; more, and on a busy machine changes would come faster than they are folded in */
#define MANY_LEAST 1000		/* changes to fold in */
#define MANY_SHARE 20		/* one product in so many */
#define RECENT_SHARE 20		/* one new change in so many that were written already: then all are written again */
#define BUSY_SHARE 20		/* of the time at most 1 / so much is spent on building, unless there are many changes */
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

/* The index at path and the changes beside it, as far as they are. */
struct state {
	uint64_t change;	/* transaction up to which both are complete; 0: there is no index that can be used */
	uint64_t base;		/* the same of the index alone */
	uint32_t products, recent;	/* of the index; changes in the file beside it */
};

static void
look(const char *path, struct state *out)
{
	const char *why;
	struct seg_file file;
	struct recent recent;
	struct seg *s = seg_open(path, true, &file, &why);

	*out = (struct state){ 0 };
	if (s == NULL)
		return;
	out->change = out->base = s->header->change;
	out->products = s->docs;
	if (recent_open(path, s, true, &file, &recent)) {
		out->change = recent.seg->header->change;
		out->recent = recent.n;
		recent_close(&recent);
	}
	seg_close(s);
}

static int
build(struct cli *cli, const char *path, bool quiet)
{
	struct indexer_report r;
	struct state old;
	int64_t mb = cfg_int("INDEX_MEMORY_MB");
	enum err e;

	if (!cli_number(cli, "memory", 4, 65536, &mb))
		return CLI_USAGE;
	look(path, &old);
	e = indexer_build(&cli->c, path, (size_t)mb << 20, &r);
	if (e != E_OK)
		return cli_fail_err(cli, e);
	if ((e = forget_changes(&cli->c, old.base)) != E_OK)
		return cli_fail_err(cli, e);
	if (!quiet) {
		printf("%s: %lld products, %.1f MB in %.1f s\n", path, (long long)r.products, (double)r.bytes / 1e6, (double)r.ms / 1e3);
		fflush(stdout);
	}
	return CLI_OK;
}

/* How many changes neither file has yet; -1 when nobody knows. */
static int64_t
waiting(struct cli *cli, const struct state *now)
{
	const char *v[2] = { arena_printf(cli->c.a, "%llu", (unsigned long long)now->change), "100000" };
	PGresult *r;

	if (db_exec(&cli->c, &sql_search_changes, 2, v, &r) != E_OK)
		return -1;
	return PQntuples(r) > 0 && PQgetisnull(r, 0, 0) ? 0 : PQntuples(r);
}

/* Write the changes beside the index. */
static void
keep_recent(struct cli *cli, const char *path, bool quiet)
{
	const char *why;
	struct seg_file file;
	struct seg *s = seg_open(path, true, &file, &why);
	uint32_t n;

	if (s == NULL)
		return;
	if (recent_build(&cli->c, path, s, INDEXER_RECENT_LEAST, &n) != E_OK)
		(void)cli_fail_err(cli, cli->c.err);
	else if (!quiet)
		printf("%s: %u changes\n", recent_path(path), n);
	seg_close(s);
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

/* When the last build ended or nothing was to do, and how long it took. */
struct pace {
	int64_t every_ms, many, last_ms, took_ms;
};

/* So many changes are folded in at once: as many as asked for, or a share of the products; no more than the file beside the index holds. */
static int64_t
many_of(const struct pace *p, const struct state *now)
{
	int64_t many = p->many > 0 ? p->many : now->products / MANY_SHARE;

	if (p->many == 0 && many < MANY_LEAST)
		many = MANY_LEAST;
	return many < RECENT_MAX ? many : RECENT_MAX;
}

/* After so long fewer are. */
static int64_t
due_of(const struct pace *p)
{
	return p->every_ms > BUSY_SHARE * p->took_ms ? p->every_ms : BUSY_SHARE * p->took_ms;
}

/* Fold changes in when there are many or the oldest has waited long enough, but a large index not all the time: write what is recent beside it. */
static int64_t
fold(struct cli *cli, const char *path, bool quiet, struct pace *p)
{
	int64_t began = now_ms(), since = began - p->last_ms, n, all;
	struct state now;

	look(path, &now);
	if ((n = since < IMPORT_WAIT_MS && import_runs(cli) ? -1 : waiting(cli, &now)) < 0)
		return RETRY_S * 1000;
	all = n + now.recent;
	if (all >= many_of(p, &now) || (all > 0 && since >= due_of(p))) {
		(void)build(cli, path, quiet);
		p->last_ms = now_ms();
		p->took_ms = p->last_ms - began;
	} else if (n >= INDEXER_RECENT_LEAST && n >= now.recent / RECENT_SHARE) {
		keep_recent(cli, path, quiet);
	} else if (all == 0) {
		p->last_ms = now_ms();
	}
	return all == 0 ? POLL_S * 1000 : p->last_ms + due_of(p) - now_ms();
}

static int
watch(struct cli *cli, const char *path, bool quiet)
{
	struct pace p = { .last_ms = now_ms() };
	int64_t every_s = 60, wait;

	if (!cli_number(cli, "every", 1, 86400, &every_s) || !cli_number(cli, "changes", 1, 100000, &p.many))
		return CLI_USAGE;
	p.every_ms = every_s * 1000;
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	if (nice(NICENESS) < 0)	/* then it is not */
		fprintf(stderr, "souk index: priority unchanged\n");
	if (db_changes_begin(&cli->c) != E_OK)
		ctx_clear_error(&cli->c);
	while (!stopped) {
		wait = fold(cli, path, quiet, &p);
		db_rollback(&cli->c);
		ctx_clear_error(&cli->c);
		arena_reset(&cli->arena);
		rest(cli, wait < 1000 ? 1000 : wait > POLL_S * 1000 ? POLL_S * 1000 : wait);
	}
	return CLI_OK;
}

int
cmd_index(struct cli *cli)
{
	const char *path = cli_value(cli, "file");
	bool quiet = cli_value(cli, "quiet") != NULL, keep = cli_value(cli, "if-missing") != NULL;
	struct state now;
	int code;

	if (path == NULL)
		path = indexer_path();
	look(path, &now);
	code = keep && now.base != 0 ? CLI_OK : build(cli, path, quiet);
	if (cli_value(cli, "watch") == NULL)
		return code;
	return code == CLI_OK || code == CLI_DATABASE ? watch(cli, path, quiet) : code;
}
