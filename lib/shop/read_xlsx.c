/*
 * Workbooks are parsed in a child process that has nothing but the file, a pipe and memory: limits on CPU and address space, and
 * a system call filter.  A crash, a hang or an exhausted limit there is one clear error here.
 *
 * The pipe carries records: struct head, then for each cell its column (2 bytes), length (4 bytes) and bytes; for
 * RECORD_BAD and RECORD_FAIL one cell with the reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shop/confine.h"
#include "shop/source.h"
#include "shop/xlsx.h"

#define SPOOL_MAX ((int64_t)512 << 20)
#define CHILD_MEMORY ((rlim_t)1 << 30)
#define CHILD_CPU_S 1800

enum record { RECORD_ROW = 1, RECORD_BAD, RECORD_FAIL, RECORD_END };

struct head {
	uint32_t kind, cells;
	int64_t line;
};

struct book {
	pid_t child;
	FILE *in;
	struct row raw;		/* columns by index */
	size_t width;		/* of the header */
	char *cell;
};

/* ---- in the child ---- */

static bool
send_cell(FILE *out, size_t column, const char *p, size_t n)
{
	uint16_t c = (uint16_t)column;
	uint32_t len = (uint32_t)n;

	return fwrite(&c, sizeof(c), 1, out) == 1 && fwrite(&len, sizeof(len), 1, out) == 1 && fwrite(p, 1, n, out) == n;
}

static bool
send_row(void *arg, const struct row *r)
{
	struct head h = { RECORD_ROW, 0, r->line };
	const char *p;
	size_t i, n = 0;

	for (i = 0; i < r->columns; i++)
		h.cells += row_cell(r, i, NULL) != NULL;
	if (fwrite(&h, sizeof(h), 1, arg) != 1)
		return false;
	for (i = 0; i < r->columns; i++) {
		if ((p = row_cell(r, i, &n)) != NULL && !send_cell(arg, i, p, n))
			return false;
	}
	return true;
}

static bool
send_bad(void *arg, int64_t line, size_t column, const char *why)
{
	struct head h = { RECORD_BAD, 1, line };

	return fwrite(&h, sizeof(h), 1, arg) == 1 && send_cell(arg, column, why, strlen(why));
}

static void
limit(int what, rlim_t n)
{
	struct rlimit r = { n, n };

	(void)setrlimit((__rlimit_resource_t)what, &r);
}

static void
child_main(int file, int out_fd, int spill)
{
	struct xlsx *x = calloc(1, sizeof(*x));
	struct head h = { RECORD_END, 0, 0 };
	FILE *out = fdopen(out_fd, "w");
	struct xlsx_sink sink = { send_row, send_bad, out };
	int code = 0;

	if (x == NULL || out == NULL)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, CHILD_CPU_S);
#ifndef SOUK_NO_FAILSTOP
	limit(RLIMIT_AS, CHILD_MEMORY);
#endif
	confine_to_open_files();
	x->strings.fd = spill;
	if ((x->zip = zip_fdopen(file, 0, &code)) == NULL)
		snprintf(x->why, sizeof(x->why), "the file is a damaged ZIP archive or was cut off");
	if (x->zip == NULL || !xlsx_read(x, &sink)) {
		h.kind = RECORD_FAIL;
		h.cells = 1;
	}
	if (fwrite(&h, sizeof(h), 1, out) == 1 && h.cells > 0)
		(void)send_cell(out, 0, x->why, strlen(x->why));
	fflush(out);
	_exit(0);
}

/* ---- in the parent ---- */

static int
temporary_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[512];
	int fd;

	if (dir == NULL || dir[0] == '\0')
		dir = "/tmp";
	if ((fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/souk-import-XXXXXX", dir);
	if ((fd = mkostemp(path, O_CLOEXEC)) >= 0)
		unlink(path);
	return fd;
}

/* A descriptor of the workbook that can be read at any place, of its own. */
static int
workbook_fd(struct row_source *s)
{
	int fd = bytes_fd(s->bytes);

	if (fd >= 0) {
		char path[64];

		/* a fresh open file, so that the position is not shared */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
			return fd;
	}
	if ((fd = temporary_file()) < 0) {
		source_fail(s, "no temporary file for the workbook: %s (set TMPDIR)", strerror(errno));
		return -1;
	}
	if (bytes_spool(s->bytes, fd, SPOOL_MAX) < 0) {
		source_fail(s, "%s", bytes_why(s->bytes));
		close(fd);
		return -1;
	}
	return lseek(fd, 0, SEEK_SET) == 0 ? fd : -1;
}

static enum row_got
died(struct row_source *s)
{
	struct book *b = s->state;
	int status = 0;

	if (b->child > 0) {
		kill(b->child, SIGKILL);
		waitpid(b->child, &status, 0);
	}
	b->child = 0;
	return source_fail(s, "the workbook cannot be read: it is damaged, or needs more memory or time than a workbook may");
}

static bool
get_cell(struct book *b, size_t *column, size_t *n)
{
	uint16_t c;
	uint32_t len;

	if (fread(&c, sizeof(c), 1, b->in) != 1 || fread(&len, sizeof(len), 1, b->in) != 1 || len > XLSX_CELL_MAX)
		return false;
	*column = c;
	*n = len;
	return fread(b->cell, 1, len, b->in) == len;
}

/* The next record's row into s->row; header: cells become the names of the columns. */
static enum row_got
take(struct row_source *s, bool header)
{
	struct book *b = s->state;
	struct head h;
	size_t column, n;
	bool full = false;

	if (fread(&h, sizeof(h), 1, b->in) != 1)
		return died(s);
	if (h.kind == RECORD_END)
		return ROW_END;
	row_start(&s->row, h.line);
	for (; h.cells > 0; h.cells--) {
		if (!get_cell(b, &column, &n))
			return died(s);
		if (h.kind == RECORD_FAIL)
			return source_fail(s, "%.*s", (int)n, b->cell);
		if (h.kind == RECORD_BAD)
			return source_bad(s, column < s->row.columns ? s->row.name[column] : NULL, "%.*s", (int)n, b->cell);
		while (header && n > 0 && s->row.columns < column)
			full |= !row_add_column(&s->row, "", 0);
		if (header && n > 0)
			full |= !row_add_column(&s->row, b->cell, n);
		else if (!header && column < s->row.columns)
			full |= !row_put(&s->row, column, b->cell, n);
	}
	return full ? source_bad(s, NULL, "the row is too long") : ROW_OK;
}

static enum row_got
xlsx_next(struct row_source *s)
{
	return take(s, false);
}

static bool
xlsx_open(struct row_source *s)
{
	struct book *b = calloc(1, sizeof(*b));
	enum row_got got;
	int file, spill, ends[2];

	if ((s->state = b) == NULL || (b->cell = malloc(XLSX_CELL_MAX)) == NULL)
		return source_fail(s, "out of memory") == ROW_OK;
	if ((file = workbook_fd(s)) < 0)
		return false;
	spill = temporary_file();
	if (pipe2(ends, O_CLOEXEC) != 0 || (b->child = fork()) < 0) {
		b->child = 0;
		return source_fail(s, "no process to read the workbook in: %s", strerror(errno)) == ROW_OK;
	}
	if (b->child == 0) {
		close(ends[0]);
		child_main(file, ends[1], spill);
	}
	close(ends[1]);
	close(file);
	if (spill >= 0)
		close(spill);
	if ((b->in = fdopen(ends[0], "r")) == NULL)
		return source_fail(s, "out of memory") == ROW_OK;
	/* Bad cells above the header are of no interest. */
	do {
		got = take(s, true);
	} while ((got == ROW_OK || got == ROW_BAD) && s->row.columns == 0);
	if (got == ROW_END)
		got = source_fail(s, "the first sheet of the workbook is empty");
	return got == ROW_OK;
}

static void
xlsx_close(struct row_source *s)
{
	struct book *b = s->state;

	if (b == NULL)
		return;
	if (b->child > 0) {
		kill(b->child, SIGKILL);
		waitpid(b->child, NULL, 0);
	}
	if (b->in != NULL)
		fclose(b->in);
	free(b->cell);
	free(b);
	s->state = NULL;
}

const struct reader reader_xlsx = { xlsx_open, xlsx_next, xlsx_close };
