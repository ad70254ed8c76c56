/* What a file is, from its first bytes and, as far as it claims anything, from its name. */
#ifndef SOUK_SHOP_SNIFF_H
#define SOUK_SHOP_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

enum format { FORMAT_AUTO, FORMAT_CSV, FORMAT_TSV, FORMAT_JSON, FORMAT_JSONL, FORMAT_XLSX, FORMAT__MAX };

/* "csv", ... ; format_find gives FORMAT__MAX for an unknown name. */
const char *format_name(enum format f);
enum format format_find(const char *name);

struct sniff {
	enum format format;	/* FORMAT__MAX: none that can be read, see what */
	const char *what;	/* "a PNG image", "an Excel workbook", "CSV text"; static */
	char delimiter;		/* of CSV and TSV */
	size_t skip;		/* bytes of a "sep=;" line before the header */
};

/* p: at least the first 4 KiB, better 64 KiB, with encoding mark, or all there is. */
void sniff_content(struct sniff *s, const unsigned char *p, size_t n);

/* Length of {"products": [ (or orders, items, data) at p, with which programs begin an array; 0 when it does not begin so. */
size_t sniff_wrapper(const unsigned char *p, size_t n);

/* What the name claims ("shop.csv", "shop.csv.gz"): FORMAT_AUTO when nothing; *gzip when it ends in .gz. */
enum format sniff_name(const char *path, bool *gzip);

/* May content of format is be read although want was claimed?  JSON and JSONL, and CSV and TSV, are close enough for a file name. */
bool format_near(enum format want, enum format is);

#endif
