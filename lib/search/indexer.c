/* See indexer.h. */
#include "search/indexer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/owner.h"
#include "gen/sql.h"
#include "search/recent.h"
#include "search/text.h"
#include "store/db.h"
#include "store/db_copy.h"

const char *
indexer_path(void)
{
	static char path[PATH_MAX];

	if (cfg_str("INDEX_FILE")[0] != '\0')
		return cfg_str("INDEX_FILE");
	snprintf(path, sizeof(path), "%s/search.seg", cfg_str("STATE_DIR"));
	return path;
}

int
indexer_lang(void)
{
	return text_lang(cfg_str("SHOP_LOCALE"), 2);
}

/* ---- rows ---- */

struct feed {
	struct ctx *c;
	struct build *b;
	char *line;		/* the line with its escapes resolved */
	size_t cap;
};

/* The character that a backslash sequence of COPY's text format stands for. */
static char
unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'v':
		return '\v';
	default:
		return c;
	}
}

/* Cut a line of COPY's text format into columns, NUL-terminated, in place of out (as large as the line and one more). */
static bool
cut_line(const char *p, size_t n, char *out, struct build_row *row)
{
	size_t o = 0, col = 0, start = 0;
	bool null = false;

	if (n > 0 && p[n - 1] == '\n')
		n--;
	for (size_t i = 0; i <= n; i++) {
		if (i == n || p[i] == '\t') {
			if (col == ROW__MAX)
				return false;
			out[o] = '\0';
			row->v[col] = null ? NULL : out + start;
			row->n[col++] = null ? 0 : o - start;
			start = ++o;
			null = false;
		} else if (p[i] == '\\' && i + 1 < n) {
			if (p[++i] == 'N' && o == start)
				null = true;
			else
				out[o++] = unescape(p[i]);
		} else {
			out[o++] = p[i];
		}
	}
	return col == ROW__MAX;
}

static enum err
take_line(void *arg, const char *p, size_t n)
{
	struct feed *f = arg;
	struct build_row row;

	if (n + 1 > f->cap) {
		char *line = realloc(f->line, n * 2 + 1);

		if (line == NULL)
			return fail(f->c, E_INTERNAL, "search index: no memory for a row");
		f->line = line;
		f->cap = n * 2 + 1;
	}
	if (!cut_line(p, n, f->line, &row))
		return fail(f->c, E_INTERNAL, "search index: shop.search_rows has other columns");
	return build_product(f->b, &row) ? E_OK : fail(f->c, E_INTERNAL, "search index: %s", build_why(f->b));
}

enum err
indexer_feed(struct ctx *c, struct build *b, const PGresult *r, int columns, bool (*take)(struct build *b, const struct build_row *row))
{
	for (int i = 0; i < PQntuples(r); i++) {
		struct build_row row = { { NULL }, { 0 } };

		for (int k = 0; k < columns && k < PQnfields(r); k++) {
			row.v[k] = PQgetisnull(r, i, k) ? NULL : PQgetvalue(r, i, k);
			row.n[k] = (size_t)PQgetlength(r, i, k);
		}
		if (!take(b, &row))
			return fail(c, E_INTERNAL, "search index: %s", build_why(b));
	}
	return E_OK;
}

enum err
indexer_categories(struct ctx *c, struct build *b)
{
	PGresult *r;

	if (db_exec(c, &sql_index_categories, 0, NULL, &r))
		return c->err;
	return indexer_feed(c, b, r, CAT__MAX, build_category);
}

/* ---- file ---- */

static enum err
disk_error(struct ctx *c, const char *what, const char *path)
{
	return fail(c, E_INTERNAL, "search index: cannot %s %s: %s", what, path, strerror(errno));
}

static bool
sync_folder(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;
	bool ok;

	snprintf(dir, sizeof(dir), "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
	if ((fd = open(dir[0] != '\0' ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	ok = fsync(fd) == 0;
	close(fd);
	return ok;
}

/* What changed while the index was built, before it can be seen: otherwise each process would read so much for itself, as it does when this fails. */
static void
note_recent(struct ctx *c, const char *path, const char *fresh)
{
	struct seg_file file;
	const char *why;
	struct seg *base = seg_open(fresh, true, &file, &why);
	uint32_t n;

	if (base != NULL && recent_build(c, path, base, INDEXER_RECENT_LEAST, &n) != E_OK)
		ctx_clear_error(c);
	seg_close(base);
}

static enum err
install(struct ctx *c, struct build *b, const char *path, struct indexer_report *report)
{
	char fresh[PATH_MAX];
	struct stat st;
	enum err e = E_OK;
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	if ((fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
		return disk_error(c, "create", fresh);
	owner_as_folder(fd, fresh);
	if (!build_finish(b, fd))
		e = fail(c, E_INTERNAL, "search index: %s", build_why(b));
	else if (fsync(fd) != 0 || fstat(fd, &st) != 0)
		e = disk_error(c, "write", fresh);
	close(fd);
	if (e == E_OK) {
		note_recent(c, path, fresh);
		report->bytes = st.st_size;
		if (rename(fresh, path) != 0 || !sync_folder(path))
			e = disk_error(c, "install", path);
	}
	if (e != E_OK)
		unlink(fresh);
	return e;
}

static enum err
read_all(struct ctx *c, struct build *b)
{
	struct feed f = { .c = c, .b = b };
	enum err e = indexer_categories(c, b);

	if (e == E_OK)
		e = db_copy_out(c, &sql_index_products, take_line, &f, NULL);
	free(f.line);
	return e;
}

static enum err
build_locked(struct ctx *c, const char *path, size_t memory, struct indexer_report *report)
{
	struct build_options o = { .memory = memory, .main_lang = indexer_lang() };
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/'), *text;
	struct build *b;
	enum err e;
	size_t n;

	if (db_text(c, &sql_index_begin, 0, NULL, &text, &n))
		return c->err;
	o.change = report->change = strtoull(text, NULL, 10);
	snprintf(dir, sizeof(dir), "%.*s", slash == NULL || slash == path ? 1 : (int)(slash - path), slash == NULL ? "." : path);
	o.dir = dir;
	if ((b = build_new(&o)) == NULL)
		return fail(c, E_INTERNAL, "search index: no memory");
	if ((e = read_all(c, b)) == E_OK)
		e = install(c, b, path, report);
	report->products = build_docs(b);
	build_free(b);
	return e;
}

enum err
indexer_build(struct ctx *c, const char *path, size_t memory, struct indexer_report *report)
{
	int64_t began = now_ms();
	char lock[PATH_MAX];
	enum err e;
	int fd;

	*report = (struct indexer_report){ 0 };
	snprintf(lock, sizeof(lock), "%s.lock", path);
	if ((fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0640)) < 0)
		return disk_error(c, "create", lock);
	owner_as_folder(fd, lock);
	if (flock(fd, LOCK_EX) != 0)
		e = disk_error(c, "lock", lock);
	else
		e = build_locked(c, path, memory, report);
	close(fd);
	report->ms = now_ms() - began;
	return e;
}
