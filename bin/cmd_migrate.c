/*
 * souk migrate: numbered files once and in order, each with its record in one transaction; then app/ whole.  The lock is taken in
 * each transaction and what is pending is looked up again under it, so a second run waits and then finds nothing to do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_sqlfile.h"
#include "core/banned.h"
#include "core/clock.h"
#include "gen/sql.h"

/* ---- comparing files and records ---- */

static const struct sqlfile *
file_of(const struct sqlfiles *fs, int version)
{
	size_t i;

	for (i = 0; i < fs->n; i++) {
		if (fs->f[i].version == version)
			return &fs->f[i];
	}
	return NULL;
}

static int
row_of(const PGresult *applied, int version)
{
	int i;

	for (i = 0; i < PQntuples(applied); i++) {
		if (strtol(PQgetvalue(applied, i, 0), NULL, 10) == version)
			return i;
	}
	return -1;
}

/* The files themselves: numbered, each number once. */
static bool
files_sound(const struct cli *cli, const struct sqlfiles *fs)
{
	size_t i;

	for (i = 0; i < fs->n; i++) {
		if (fs->f[i].version <= 0) {
			cli_fail(cli, CLI_UNUSABLE, "%s/%s: the name has to begin with a number", fs->dir, fs->f[i].name);
			return false;
		}
		if (i > 0 && fs->f[i].version <= fs->f[i - 1].version) {
			cli_fail(cli, CLI_UNUSABLE, "%s: %s and %s have the same number", fs->dir, fs->f[i - 1].name, fs->f[i].name);
			return false;
		}
	}
	if (fs->n == 0)
		cli_fail(cli, CLI_UNUSABLE, "%s: there is no migration", fs->dir);
	return fs->n > 0;
}

/* What was applied has to be there, unchanged, and nothing may be pending below it.  Every fault is told. */
static bool
history_sound(const struct cli *cli, const struct sqlfiles *fs, const PGresult *applied)
{
	int i, n = PQntuples(applied), last = n > 0 ? (int)strtol(PQgetvalue(applied, n - 1, 0), NULL, 10) : 0;
	const struct sqlfile *f;
	bool ok = true;
	size_t k;

	for (i = 0; i < n; i++) {
		const char *name = PQgetvalue(applied, i, 1);

		f = file_of(fs, (int)strtol(PQgetvalue(applied, i, 0), NULL, 10));
		if (f == NULL || strcmp(f->name, name) != 0) {
			cli_fail(cli, CLI_FAILED, "%s was applied but is missing from %s", name, fs->dir);
			ok = false;
		} else if (strcmp(f->checksum, PQgetvalue(applied, i, 2)) != 0) {
			cli_fail(cli, CLI_FAILED, "%s has changed since it was applied; restore it and write a new migration instead", name);
			ok = false;
		}
	}
	for (k = 0; k < fs->n && fs->f[k].version < last; k++) {
		if (row_of(applied, fs->f[k].version) < 0) {
			cli_fail(cli, CLI_FAILED, "%s was not applied but a later one was; give it a number above %d", fs->f[k].name, last);
			ok = false;
		}
	}
	return ok;
}

/* NULL: told. A database that was never migrated gives an empty result. */
static PGresult *
applied_now(const struct cli *cli, PGconn *pg)
{
	PGresult *r = sql_run(cli, pg, &sql_migrate_ready, 0, NULL);

	if (r == NULL)
		return NULL;
	if (strcmp(PQgetvalue(r, 0, 0), "t") != 0) {
		PQclear(r);
		return PQmakeEmptyPGresult(pg, PGRES_TUPLES_OK);
	}
	PQclear(r);
	return sql_run(cli, pg, &sql_migrate_applied, 0, NULL);
}

static int
show(const struct cli *cli, const struct sqlfiles *fs, const PGresult *applied, bool verify)
{
	bool sound = history_sound(cli, fs, applied);
	size_t i, pending = 0;
	int row;

	for (i = 0; i < fs->n; i++) {
		row = row_of(applied, fs->f[i].version);
		pending += row < 0;
		if (row < 0)
			printf("%-40s pending\n", fs->f[i].name);
		else if (verify)
			printf("%-40s %s\n", fs->f[i].name, strcmp(PQgetvalue(applied, row, 2), fs->f[i].checksum) == 0 ? "same" : "changed");
		else
			printf("%-40s applied %s\n", fs->f[i].name, PQgetvalue(applied, row, 3));
	}
	if (verify)
		printf("%s: %d applied, checksums %s\n", sound ? "ok" : "not ok", PQntuples(applied), sound ? "match" : "or files do not match");
	else
		printf("%zu applied, %zu pending\n", fs->n - pending, pending);
	return sound && (verify || pending == 0) ? CLI_OK : CLI_FAILED;
}

/* ---- applying ---- */

static bool
record(const struct cli *cli, PGconn *pg, const struct sqlfile *f, int64_t ms)
{
	char version[16], took[24];
	const char *v[4] = { version, f->name, f->checksum, took };
	PGresult *r;

	snprintf(version, sizeof(version), "%d", f->version);
	snprintf(took, sizeof(took), "%lld", (long long)ms);
	r = sql_run(cli, pg, &sql_migrate_record, 4, v);
	PQclear(r);
	return r != NULL;
}

/* 1 applied, 0 another run was faster, -1 told. */
static int
apply(const struct cli *cli, PGconn *pg, const struct sqlfile *f)
{
	int64_t began = now_ms();
	PGresult *applied;
	bool there;

	if (!sql_begin_locked(cli, pg) || (applied = applied_now(cli, pg)) == NULL)
		return -1;
	there = row_of(applied, f->version) >= 0;
	PQclear(applied);
	if (there)
		return sql_do(cli, pg, &sql_tx_rollback) ? 0 : -1;
	if (!sql_file(cli, pg, f) || !record(cli, pg, f, now_ms() - began) || !sql_commit(cli, pg))
		return -1;
	printf("applied %s (%lld ms)\n", f->name, (long long)(now_ms() - began));
	return 1;
}

/* All files of one folder in one transaction, behind the lock. */
static bool
apply_whole(const struct cli *cli, PGconn *pg, const struct sqlfiles *fs)
{
	size_t i;

	if (!sql_begin_locked(cli, pg))
		return false;
	for (i = 0; i < fs->n; i++) {
		if (!sql_file(cli, pg, &fs->f[i]))
			return false;
	}
	return sql_commit(cli, pg);
}

static int
migrate(const struct cli *cli, PGconn *pg, const struct sqlfiles *fs)
{
	struct sqlfiles boot, app;
	PGresult *applied;
	int code, done = 0, rc = 0;
	size_t i;
	bool ok;

	if ((code = sqlfiles_read(cli, "bootstrap.sql", &boot)) != CLI_OK)
		return code;
	ok = apply_whole(cli, pg, &boot);
	sqlfiles_release(&boot);
	if (!ok || (applied = applied_now(cli, pg)) == NULL)
		return CLI_DATABASE;
	ok = history_sound(cli, fs, applied);
	PQclear(applied);
	if (!ok)
		return CLI_FAILED;
	for (i = 0; i < fs->n && rc >= 0; i++) {
		applied = applied_now(cli, pg);
		if (applied != NULL && row_of(applied, fs->f[i].version) < 0 && (rc = apply(cli, pg, &fs->f[i])) > 0)
			done++;
		rc = applied == NULL ? -1 : rc;
		PQclear(applied);
	}
	if (rc < 0)
		return CLI_DATABASE;
	if ((code = sqlfiles_read(cli, "app", &app)) != CLI_OK)
		return code;
	ok = apply_whole(cli, pg, &app);
	if (ok)
		printf("%d applied, database is at %d, %zu files of functions and grants in place\n", done, fs->f[fs->n - 1].version, app.n);
	sqlfiles_release(&app);
	return ok ? CLI_OK : CLI_DATABASE;
}

int
cmd_migrate(struct cli *cli)
{
	bool status = cli_value(cli, "status") != NULL, verify = cli_value(cli, "verify") != NULL;
	struct sqlfiles fs;
	PGresult *applied;
	PGconn *pg = NULL;
	int code = sqlfiles_read(cli, "migrations", &fs);

	if (code == CLI_OK && !files_sound(cli, &fs))
		code = CLI_UNUSABLE;
	if (code == CLI_OK && (pg = sql_connect(cli)) == NULL)
		code = CLI_DATABASE;
	if (code == CLI_OK && (status || verify)) {
		applied = applied_now(cli, pg);
		code = applied != NULL ? show(cli, &fs, applied, verify) : CLI_DATABASE;
		PQclear(applied);
	} else if (code == CLI_OK) {
		code = migrate(cli, pg, &fs);
	}
	PQfinish(pg);
	sqlfiles_release(&fs);
	return code;
}
