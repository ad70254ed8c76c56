#include "cmd_sqlfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/banned.h"
#include "gen/sql.h"
#include "store/db_owner.h"

#define FILE_MAX ((off_t)64 << 20)

static bool
slurp(const char *path, char **text, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t got;
	bool ok = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size <= FILE_MAX && (*text = malloc((size_t)st.st_size + 1)) != NULL) {
		for (*n = 0; *n < (size_t)st.st_size; *n += (size_t)got) {
			if ((got = read(fd, *text + *n, (size_t)st.st_size - *n)) <= 0)
				break;
		}
		(*text)[*n] = '\0';
		ok = *n == (size_t)st.st_size;
	}
	close(fd);
	return ok;
}

static bool
read_one(const struct cli *cli, struct sqlfiles *fs, const char *name)
{
	struct sqlfile *f;
	unsigned char hash[crypto_hash_sha256_BYTES];
	char path[8192];
	void *p;

	if (fs->n == SQLFILES_MAX || (p = realloc(fs->f, (fs->n + 1) * sizeof(*fs->f))) == NULL) {
		cli_fail(cli, CLI_FAILED, "%s: too many files", fs->dir);
		return false;
	}
	fs->f = p;
	f = &fs->f[fs->n];
	memset(f, 0, sizeof(*f));
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", fs->dir, name);
	if (!slurp(path, &f->text, &f->n)) {
		cli_fail(cli, CLI_UNUSABLE, "%s: cannot be read: %s", path, strerror(errno));
		return false;
	}
	fs->n++;
	f->version = (int)strtol(name, NULL, 10);
	crypto_hash_sha256(hash, (const unsigned char *)f->text, f->n);
	sodium_bin2hex(f->checksum, sizeof(f->checksum), hash, sizeof(hash));
	return true;
}

static int
is_sql(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && n < sizeof(((struct sqlfile *)0)->name) && d->d_name[0] != '.' && strcmp(d->d_name + n - 4, ".sql") == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
sqlfiles_read(const struct cli *cli, const char *sub, struct sqlfiles *out)
{
	struct dirent **list = NULL;
	size_t len = strlen(sub);
	char sql[2048];
	bool ok = true;
	int n, i;

	memset(out, 0, sizeof(*out));
	if (!cli_sql_dir(sql, sizeof(sql)))
		return cli_fail(cli, CLI_UNUSABLE, "the folder with the SQL files is not at %s (set SOUK_SHARE to the folder that has sql/ in it)", sql);
	if (len > 4 && strcmp(sub + len - 4, ".sql") == 0) {
		snprintf(out->dir, sizeof(out->dir), "%s", sql);
		return read_one(cli, out, sub) ? CLI_OK : CLI_UNUSABLE;
	}
	snprintf(out->dir, sizeof(out->dir), "%s/%s", sql, sub);
	if ((n = scandir(out->dir, &list, is_sql, by_name)) < 0)
		return cli_fail(cli, CLI_UNUSABLE, "%s: %s", out->dir, strerror(errno));
	for (i = 0; i < n; i++) {
		ok = ok && read_one(cli, out, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ok ? CLI_OK : CLI_UNUSABLE;
}

void
sqlfiles_release(struct sqlfiles *fs)
{
	size_t i;

	for (i = 0; i < fs->n; i++)
		free(fs->f[i].text);
	free(fs->f);
	memset(fs, 0, sizeof(*fs));
}

PGconn *
sql_connect(const struct cli *cli)
{
	char why[512];
	PGconn *pg = db_owner_open(why, sizeof(why));

	if (pg == NULL)
		cli_fail(cli, CLI_DATABASE, "%s", why);
	return pg;
}

static void
tell(const struct cli *cli, PGconn *pg, const PGresult *r, const char *where, const char *text)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE), *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *position = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION), *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
	long at = position != NULL ? strtol(position, NULL, 10) : 0, line = 1;

	if (message == NULL) {
		cli_fail(cli, CLI_DATABASE, "%s: %s", where, PQerrorMessage(pg));
		return;
	}
	/* The position counts characters, not bytes. */
	for (; text != NULL && at > 1 && *text != '\0'; text++) {
		line += *text == '\n';
		at -= ((unsigned char)text[1] & 0xc0) != 0x80;
	}
	if (position != NULL)
		cli_fail(cli, CLI_DATABASE, "%s line %ld: %s (%s)", where, line, message, state);
	else
		cli_fail(cli, CLI_DATABASE, "%s: %s (%s)", where, message, state);
	if (detail != NULL)
		fprintf(stderr, "  %s\n", detail);
}

PGresult *
sql_run(const struct cli *cli, PGconn *pg, const struct sql *q, int n, const char *const *v)
{
	PGresult *r = PQexecParams(pg, q->text, n, NULL, v, NULL, NULL, 0);

	if (PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK)
		return r;
	tell(cli, pg, r, q->name, NULL);
	PQclear(r);
	return NULL;
}

bool
sql_do(const struct cli *cli, PGconn *pg, const struct sql *q)
{
	PGresult *r = sql_run(cli, pg, q, 0, NULL);

	PQclear(r);
	return r != NULL;
}

bool
sql_file(const struct cli *cli, PGconn *pg, const struct sqlfile *f)
{
	PGresult *r = PQexec(pg, f->text);
	bool ok = PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK;

	if (!ok && PQresultStatus(r) == PGRES_EMPTY_QUERY)
		ok = true;
	if (!ok)
		tell(cli, pg, r, f->name, f->text);
	PQclear(r);
	/* A file that ends the transaction would defeat it. */
	if (ok && PQtransactionStatus(pg) != PQTRANS_INTRANS) {
		cli_fail(cli, CLI_DATABASE, "%s: must not begin or end a transaction", f->name);
		ok = false;
	}
	return ok;
}

bool
sql_begin_locked(const struct cli *cli, PGconn *pg)
{
	return sql_do(cli, pg, &sql_migrate_begin) && sql_do(cli, pg, &sql_migrate_lock);
}

bool
sql_commit(const struct cli *cli, PGconn *pg)
{
	return sql_do(cli, pg, &sql_tx_commit);
}
