#include "shop/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Readers by format; the workbook reader takes the bytes as they are, the others text. */
static const struct reader *const readers[FORMAT__MAX] = {
	[FORMAT_CSV] = &reader_csv, [FORMAT_TSV] = &reader_csv, [FORMAT_JSON] = &reader_json, [FORMAT_JSONL] = &reader_jsonl,
	[FORMAT_XLSX] = &reader_xlsx
};

enum row_got
source_bad(struct row_source *s, const char *column, const char *fmt, ...)
{
	va_list ap;

	snprintf(s->column, sizeof(s->column), "%s", column != NULL ? column : "");
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return ROW_BAD;
}

enum row_got
source_fail(struct row_source *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return ROW_FAIL;
}

/* Compare what was asked for, what the name claims and what the content is.  false: s->why. */
static bool
settle(struct row_source *s, const char *path, enum format want)
{
	bool gzip_named = false, by_name = want == FORMAT_AUTO;
	enum format claim = path != NULL ? sniff_name(path, &gzip_named) : FORMAT_AUTO;
	enum format is = s->sniff.format;

	if (is == FORMAT__MAX) {
		source_fail(s, "this is %s", s->sniff.what);
		return false;
	}
	if (by_name && gzip_named && !bytes_gzip(s->bytes)) {
		source_fail(s, "named .gz but not compressed with gzip: it is %s (rename it, or give --format)", s->sniff.what);
		return false;
	}
	if (!format_near(by_name ? claim : want, is)) {
		source_fail(s, "%s %s but is %s%s", by_name ? "named" : "declared", format_name(by_name ? claim : want), s->sniff.what,
		    by_name ? " (rename it, or give --format)" : "");
		return false;
	}
	if (want == FORMAT_CSV && is == FORMAT_TSV) {
		source_fail(s, "declared csv but its cells are separated by tabs (use --format tsv)");
		return false;
	}
	if (want == FORMAT_TSV && is == FORMAT_CSV) {
		source_fail(s, "declared tsv but there is no tab in its first line");
		return false;
	}
	s->format = is;
	return true;
}

static void
begin(struct row_source *s, const char *path, enum format want)
{
	const unsigned char *p;
	ssize_t n;

	if (s->bytes == NULL) {
		source_fail(s, "out of memory");
		return;
	}
	if ((n = bytes_peek(s->bytes, BYTES_CHUNK, &p)) < 0) {
		source_fail(s, "%s", bytes_why(s->bytes));
		return;
	}
	sniff_content(&s->sniff, p, (size_t)n);
	if (!settle(s, path, want))
		return;
	if (s->format != FORMAT_XLSX && !(s->has_text = text_init(&s->text, s->bytes))) {
		source_fail(s, "out of memory");
		return;
	}
	s->reader = readers[s->format];
	if (!s->reader->open(s)) {
		s->reader->close(s);
		s->reader = NULL;
	}
}

static struct row_source *
source_new(struct bytes *b, const char *path, enum format want)
{
	struct row_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	row_init(&s->row);
	s->bytes = b;
	begin(s, path, want);
	return s;
}

struct row_source *
source_open(const char *path, enum format want)
{
	return source_new(bytes_open(path), path, want);
}

struct row_source *
source_open_mem(const void *p, size_t n, enum format want)
{
	return source_new(bytes_open_mem(p, n), NULL, want);
}

enum row_got
source_next(struct row_source *s)
{
	const char *why;
	enum row_got got;
	size_t at;

	if (s->reader == NULL)
		return ROW_FAIL;
	do {
		got = s->reader->next(s);
	} while (got == ROW_OK && row_blank(&s->row));
	if (got == ROW_OK && (at = row_check(&s->row, &why)) != ROW_COLUMNS_MAX)
		return source_bad(s, s->row.name[at], "%s", why);
	return got;
}

const char *
source_encoding(const struct row_source *s)
{
	return s->has_text ? encoding_name(s->text.e.is) : "UTF-8";
}

void
source_progress(const struct row_source *s, int64_t *done, int64_t *total)
{
	*done = s->bytes != NULL ? bytes_taken(s->bytes) : 0;
	*total = s->bytes != NULL ? bytes_total(s->bytes) : -1;
}

void
source_close(struct row_source *s)
{
	if (s == NULL)
		return;
	if (s->reader != NULL)
		s->reader->close(s);
	if (s->has_text)
		text_release(&s->text);
	bytes_close(s->bytes);
	row_release(&s->row);
	free(s);
}
