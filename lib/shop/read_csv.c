/*
 * CSV and TSV through libcsv, one physical line at a time, so that every error has a line and a place to go on from:
 * the lines of a row are kept until it is complete; when libcsv refuses them, or a quote stays open for TEXT_LINE_MAX bytes, only the
 * first of them is bad and reading resumes with the second.  A line that libcsv's strict mode refuses but that makes, read leniently
 * (27" monitor) or with quotes as plain characters (TSV), exactly as many cells as the header has, is accepted.
 */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "shop/source.h"

struct csv {
	struct csv_parser strict, lenient;
	bool ready;
	char delimiter, newline;
	bool header;		/* reading the header: cells become column names */
	size_t cells;		/* of the row under way */
	size_t expect;		/* columns of the header */
	bool complete;		/* the row ended */
	bool again;		/* a second row began on the same line */
	bool full;		/* the row or the header has no more room */
	char *held;		/* lines of the row under way */
	size_t heldsz, heldroom;
	char *redo;		/* lines to read once more, redoat..redosz */
	size_t redosz, redoat, redoroom;
	int64_t redoline;	/* line number at redoat */
	int64_t line;		/* of the row under way */
};

static int
csv_newline(unsigned char c)
{
	return c == '\n';
}

static int
csv_newline_mac(unsigned char c)
{
	return c == '\r';
}

static int
csv_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* libcsv asks for one cell's buffer here; an open quote must not eat the memory. */
static void *
csv_bounded(void *p, size_t n)
{
	return n > 2 * (size_t)TEXT_LINE_MAX ? NULL : realloc(p, n);
}

/* A fresh parser; libcsv has no way back from an error otherwise. */
static void
parser_reset(struct csv *v, struct csv_parser *p, bool again)
{
	if (again)
		csv_free(p);
	csv_init(p, p == &v->strict ? CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL : CSV_APPEND_NULL);
	csv_set_delim(p, (unsigned char)v->delimiter);
	csv_set_realloc_func(p, csv_bounded);
	csv_set_space_func(p, csv_blank);
	csv_set_term_func(p, v->newline == '\n' ? csv_newline : csv_newline_mac);
}

static void
on_cell(void *p, size_t n, void *arg)
{
	struct row_source *s = arg;
	struct csv *v = s->state;

	if (v->complete)
		v->again = true;
	else if (v->header)
		v->full |= !row_add_column(&s->row, p, n);
	else if (v->cells < s->row.columns)
		v->full |= !row_put(&s->row, v->cells, p, n);
	v->cells++;
}

static void
on_row(int c, void *arg)
{
	struct row_source *s = arg;
	struct csv *v = s->state;

	(void)c;
	v->complete = true;
}

static bool
keep(char **to, size_t *sz, size_t *room, const char *p, size_t n)
{
	size_t want = *room ? *room : 8192;
	char *q;

	if (n == 0)
		return true;
	while (want < *sz + n)
		want *= 2;
	if (want > *room) {
		if ((q = realloc(*to, want)) == NULL)
			return false;
		*to = q;
		*room = want;
	}
	memcpy(*to + *sz, p, n);
	*sz += n;
	return true;
}

/* The next physical line, from those to redo first. */
static ssize_t
next_line(struct row_source *s, const char **p, int64_t *line)
{
	struct csv *v = s->state;
	const char *nl;
	ssize_t n;

	if (v->redoat < v->redosz) {
		*p = v->redo + v->redoat;
		*line = v->redoline++;
		nl = memchr(*p, v->newline, v->redosz - v->redoat);
		n = nl != NULL ? nl - *p + 1 : (ssize_t)(v->redosz - v->redoat);
		v->redoat += (size_t)n;
		return n;
	}
	*line = s->text.line;
	return text_line(&s->text, p);
}

/* Everything held but its first line is read again. */
static bool
redo_rest(struct csv *v)
{
	const char *nl = memchr(v->held, v->newline, v->heldsz);
	size_t first = nl != NULL ? (size_t)(nl - v->held) + 1 : v->heldsz, left = v->redosz - v->redoat, n = v->heldsz - first;

	if (n == 0)
		return true;
	if (!keep(&v->held, &v->heldsz, &v->heldroom, v->redo + v->redoat, left))
		return false;
	v->redosz = v->redoat = 0;
	v->redoline = v->line + 1;
	return keep(&v->redo, &v->redosz, &v->redoroom, v->held + first, n + left);
}

static void
begin_row(struct row_source *s, int64_t line)
{
	struct csv *v = s->state;

	row_start(&s->row, line);
	v->line = line;
	v->cells = 0;
	v->complete = v->again = v->full = false;
}

static bool
fits(const struct csv *v)
{
	return v->complete && !v->again && !v->full && v->cells == v->expect;
}

/* Cells between delimiters, quotes being nothing special.  A cell that only begins with one is the start of something longer. */
static bool
read_plain(struct row_source *s, const char *p, size_t n)
{
	struct csv *v = s->state;
	const char *end = p + n, *d;

	begin_row(s, v->line);
	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	for (;; p = d + 1) {
		d = memchr(p, v->delimiter, (size_t)(end - p));
		n = (size_t)((d != NULL ? d : end) - p);
		if (n > 0 && p[0] == '"' && memchr(p + 1, '"', n - 1) == NULL)
			return false;
		on_cell((void *)(uintptr_t)p, n, s);
		if (d == NULL)
			break;
	}
	v->complete = true;
	return fits(v);
}

/* The first held line was refused by strict reading: any other way that makes sense? */
static bool
read_leniently(struct row_source *s, const char *p, size_t n)
{
	struct csv *v = s->state;
	bool ok;

	if (v->header)
		return false;
	begin_row(s, v->line);
	ok = csv_parse(&v->lenient, p, n, on_cell, on_row, s) == n;
	if (ok && !v->complete && p[n - 1] != v->newline)
		csv_fini(&v->lenient, on_cell, on_row, s);	/* the last line of the file */
	ok = ok && fits(v);
	parser_reset(v, &v->lenient, true);
	return ok || read_plain(s, p, n);
}

/* The held lines make no row.  Their first is told, the rest read again. */
static enum row_got
refuse(struct row_source *s, const char *why)
{
	struct csv *v = s->state;
	const char *nl = memchr(v->held, v->newline, v->heldsz);
	size_t first = nl != NULL ? (size_t)(nl - v->held) + 1 : v->heldsz;
	const char *column = v->cells < s->row.columns && !v->header ? s->row.name[v->cells] : NULL;
	char name[ROW_NAME_MAX + 1] = "";

	if (column != NULL)
		memcpy(name, column, strlen(column) + 1);
	parser_reset(v, &v->strict, true);
	if (!redo_rest(v))
		return source_fail(s, "out of memory");
	if (read_leniently(s, v->held, first)) {
		v->heldsz = 0;
		return ROW_OK;
	}
	v->heldsz = 0;
	if (v->header)
		return source_fail(s, "the header line cannot be read: %s", why);
	return source_bad(s, name, "%s", why);
}

/* A complete row, or the reason why it is none. */
static enum row_got
judge(struct row_source *s)
{
	struct csv *v = s->state;

	v->heldsz = 0;
	if (v->again)
		return source_bad(s, NULL, "has a line break outside quotes");
	if (v->full && v->header)
		return source_fail(s, "more than %u columns", ROW_COLUMNS_MAX);
	if (v->full)
		return source_bad(s, NULL, "the row is too long");
	if (v->header || v->cells == v->expect)
		return ROW_OK;
	if (v->cells == 1 && row_blank(&s->row))
		return ROW_OK;
	return source_bad(s, NULL, "has %zu cells where the header has %zu", v->cells, v->expect);
}

static bool
is_blank(const char *p, size_t n)
{
	while (n > 0 && (unsigned char)p[n - 1] <= ' ')
		n--;
	return n == 0;
}

static enum row_got
next_row(struct row_source *s)
{
	struct csv *v = s->state;
	const char *p;
	int64_t line;
	ssize_t n;

	for (;;) {
		if ((n = next_line(s, &p, &line)) == TEXT_FAILED)
			return source_fail(s, "%s", bytes_why(s->bytes));
		if (v->heldsz == 0)
			begin_row(s, line);
		if (n == 0)
			break;
		if (n == TEXT_LONG) {
			v->heldsz = 0;
			parser_reset(v, &v->strict, true);
			return source_bad(s, NULL, "the line is longer than %u bytes", TEXT_LINE_MAX);
		}
		if (!keep(&v->held, &v->heldsz, &v->heldroom, p, (size_t)n))
			return source_fail(s, "out of memory");
		if (csv_parse(&v->strict, p, (size_t)n, on_cell, on_row, s) != (size_t)n)
			return refuse(s, csv_error(&v->strict) == CSV_EPARSE ? "has a quote in the wrong place" : "the cell is too long");
		if (v->complete)
			return judge(s);
		if (v->heldsz == (size_t)n && is_blank(p, (size_t)n)) {
			v->heldsz = 0;
			continue;
		}
		if (v->heldsz > TEXT_LINE_MAX)
			return refuse(s, "has a quote that is not closed");
	}
	if (v->heldsz == 0)
		return ROW_END;
	if (csv_fini(&v->strict, on_cell, on_row, s) != 0)
		return refuse(s, "has a quote that is not closed");
	return v->complete ? judge(s) : ROW_END;
}

static bool
csv_open(struct row_source *s)
{
	struct csv *v = calloc(1, sizeof(*v));
	const char *p;
	enum row_got got;

	if ((s->state = v) == NULL)
		return source_fail(s, "out of memory") == ROW_OK;
	v->delimiter = s->sniff.delimiter;
	v->newline = s->text.newline;
	parser_reset(v, &v->strict, false);
	parser_reset(v, &v->lenient, false);
	v->ready = true;
	if (s->sniff.skip > 0)
		(void)text_line(&s->text, &p);
	v->header = true;
	got = next_row(s);
	v->header = false;
	v->expect = s->row.columns;
	if (got == ROW_BAD || got == ROW_END)
		source_fail(s, got == ROW_END ? "has no header line" : "the header line cannot be read");
	return got == ROW_OK;
}

static void
csv_close(struct row_source *s)
{
	struct csv *v = s->state;

	if (v == NULL)
		return;
	if (v->ready) {
		csv_free(&v->strict);
		csv_free(&v->lenient);
	}
	free(v->held);
	free(v->redo);
	free(v);
	s->state = NULL;
}

const struct reader reader_csv = { csv_open, next_row, csv_close };
