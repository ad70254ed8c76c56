/*
 * Rows from any file a shop owner has: CSV, TSV, JSON, JSONL or XLSX, gzip or not, from a path or standard input, in bounded memory.
 *
 *	struct row_source *s = source_open(path, FORMAT_AUTO);
 *	while ((got = source_next(s)) == ROW_OK || got == ROW_BAD)
 *		...	s->row, or s->why and s->column of the bad row at s->row.line
 *	if (got == ROW_FAIL)
 *		...	s->why: one sentence that tells what the file is instead
 *	source_close(s);
 *
 * Limits: a row of text 1 MiB, a workbook 512 MiB packed, 512 columns.
 */
#ifndef SOUK_SHOP_SOURCE_H
#define SOUK_SHOP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shop/row.h"
#include "shop/sniff.h"
#include "shop/text.h"

enum row_got { ROW_OK, ROW_BAD, ROW_END, ROW_FAIL };

struct row_source;

/* A format's reader: open fills s->row's columns where they are fixed; state is its own. */
struct reader {
	bool (*open)(struct row_source *s);	/* false: s->why */
	enum row_got (*next)(struct row_source *s);
	void (*close)(struct row_source *s);
};

struct row_source {
	struct row row;
	enum format format;	/* of the content */
	char why[256];		/* of the last ROW_BAD or ROW_FAIL; a clause such as "price: ..." without the line */
	char column[ROW_NAME_MAX + 1];	/* of the last ROW_BAD; "" when the row as a whole is bad */
	struct bytes *bytes;
	struct text text;
	bool has_text;
	struct sniff sniff;
	const struct reader *reader;
	void *state;
};

/* Never NULL; what is wrong comes from the first source_next(). want FORMAT_AUTO: by content, refused if the name claims another format. */
struct row_source *source_open(const char *path, enum format want);
/* The same for memory, which has to stay until source_close(). */
struct row_source *source_open_mem(const void *p, size_t n, enum format want);

enum row_got source_next(struct row_source *s);

/* Encoding that was found, for the summary: "UTF-8", "Windows-1252", "UTF-16". */
const char *source_encoding(const struct row_source *s);
/* Bytes of the file read, and in all (-1: unknown). */
void source_progress(const struct row_source *s, int64_t *done, int64_t *total);

void source_close(struct row_source *s);

/* For readers: note a bad row or a failure and return it.  column may be NULL. */
enum row_got source_bad(struct row_source *s, const char *column, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
enum row_got source_fail(struct row_source *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

extern const struct reader reader_csv, reader_json, reader_jsonl, reader_xlsx;

#endif
