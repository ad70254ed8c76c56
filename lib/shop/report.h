/*
 * What an import did: counts, and the bad rows with line, column and reason.  The list is bounded, the count is not.
 */
#ifndef SOUK_SHOP_REPORT_H
#define SOUK_SHOP_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_LIST_MAX 1000u

struct report_row {
	int64_t line;
	char *column;	/* "" when the row as a whole is bad */
	char *reason;
};

struct report {
	int64_t rows;			/* data rows read, bad ones included */
	int64_t created, updated, unchanged;	/* products, or orders */
	int64_t variants_created, variants_updated, variants_unchanged;
	int64_t lines;			/* order lines */
	int64_t repeated;		/* rows that a later row of the same SKU replaced */
	int64_t bad;
	struct report_row list[REPORT_LIST_MAX];
	size_t n;
	void (*on_bad)(void *arg, const struct report_row *r);	/* told at once; may be NULL */
	void *arg;
};

/* One bad row.  column may be NULL. */
void report_bad(struct report *r, int64_t line, const char *column, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* All as one JSON object: {"file":..., "dryRun":..., "rows":..., ..., "badRows":[{"line","column","reason"}]}. */
void report_json(const struct report *r, FILE *f, const char *file, bool dry_run, bool orders, double seconds);

void report_release(struct report *r);

#endif
