/*
 * XLSX (ECMA-376 part 1, SpreadsheetML) read as a stream: the first visible sheet, row by row.  libzip unpacks, expat parses; shared
 * strings stay in memory up to XLSX_STRINGS_RAM and beyond that in a temporary file, so memory does not grow with the workbook.
 *
 * Refused: passwords, DOCTYPEs, packed data that unpacks to more than XLSX_RATIO times its size, parts over XLSX_PART_MAX.
 * The parser trusts nothing, and read_xlsx.c runs it in a child process without rights besides.
 */
#ifndef SOUK_SHOP_XLSX_H
#define SOUK_SHOP_XLSX_H

#include <expat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zip.h>

#include "shop/row.h"

#define XLSX_RATIO 250u			/* unpacked to packed, once a part is over 16 MiB */
#define XLSX_PART_MAX ((uint64_t)8 << 30)
#define XLSX_ENTRIES_MAX 10000
#define XLSX_DEPTH_MAX 64u		/* elements inside each other */
#define XLSX_STRINGS_RAM (32u << 20)
#define XLSX_STRINGS_MAX 16000000u	/* number of shared strings */
#define XLSX_STYLES_MAX 65536u
#define XLSX_CELL_MAX (1u << 20)	/* bytes of one cell's text; Excel's own limit is 32,767 characters */

/* Shared strings by number. */
struct xlsx_strings {
	int fd;			/* temporary file, -1 when there is none to be had */
	char *text;		/* of the strings in memory */
	size_t used, room;
	uint64_t *at;		/* end of string i; beyond atroom they are in the file */
	size_t n, atroom;
	uint64_t size;		/* bytes of all strings; text beyond used is in the file */
	char *spare;		/* a string read back from the file */
	size_t spareroom;
};

/* What the reader of rows gets.  A row's cells are those of r (columns by index, names unused). */
struct xlsx_sink {
	bool (*row)(void *arg, const struct row *r);	/* false: stop */
	bool (*bad)(void *arg, int64_t line, size_t column, const char *why);
	void *arg;
};

struct xlsx {
	zip_t *zip;
	struct xlsx_strings strings;
	bool date[XLSX_STYLES_MAX];	/* does cell style i show a date? */
	size_t styles;
	bool from_1904;
	char sheet[256];		/* part of the first visible sheet */
	char why[256];			/* after false */
};

/* Read the workbook; x is zeroed but for zip (not closed here) and strings.fd.  false: x->why. */
bool xlsx_read(struct xlsx *x, const struct xlsx_sink *sink);
void xlsx_release(struct xlsx *x);

/* Is this ZIP archive a workbook?  false: why, for instance "a ZIP archive, but not an Excel workbook". */
bool xlsx_is_workbook(zip_t *zip, char *why, size_t whysz);

/* xlsx_part.c: feed one part to an expat parser.  missing is no error when optional.  false: x->why. */
struct xlsx_handler {
	void (*start)(void *arg, const char *name, const char **attrs);	/* name without its prefix */
	void (*end)(void *arg, const char *name);
	void (*text)(void *arg, const char *s, int n);
	void *arg;
	XML_Parser parser;	/* set while running, for XML_StopParser */
};
bool xlsx_part(struct xlsx *x, const char *part, bool optional, struct xlsx_handler *h);
/* The value of an attribute by its local name; NULL when absent. */
const char *xlsx_attr(const char **attrs, const char *name);

/* xlsx_strings.c */
bool xlsx_strings_read(struct xlsx *x);
/* String i, not NUL-terminated; NULL when there is none.  Valid until the next call. */
const char *xlsx_string(struct xlsx *x, uint64_t i, size_t *n);

/* xlsx_value.c: "45123.5" as "2023-07-16 12:00:00"; numbers without the noise of binary fractions.  Return the length. */
size_t xlsx_date(double serial, bool from_1904, char *out, size_t outsz);
size_t xlsx_number(const char *s, char *out, size_t outsz);
/* Does the number format show a date? */
bool xlsx_format_is_date(const char *code);
/* Undo _x000D_ in place; the new length. */
size_t xlsx_unescape(char *s, size_t n);

#endif
