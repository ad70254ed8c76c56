/*
 * Any bytes as a product file and as an order file: CSV, TSV, JSON, JSONL, with or without gzip.  Rows come in bounded number and size,
 * cells are valid UTF-8 without NUL, and what the mappers make of them is fit for the database.  Workbooks have their own entry.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "shop/map.h"
#include "shop/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_text(const char *s, size_t n)
{
	must(s == NULL || (n > 0 && memchr(s, 0, n) == NULL && utf8_valid(s, n)));
}

static const struct map_options options = { .currency = "EUR", .locale = "fr", .decimal = DECIMAL_BOTH };

static struct row_source *
open_text(const uint8_t *data, size_t size)
{
	return source_open_mem(data, size, FORMAT_AUTO);
}

static void
as_rows(const uint8_t *data, size_t size)
{
	struct row_source *s = open_text(data, size);
	enum row_got got;
	int64_t last = 0;
	const char *cell;
	size_t i, n;

	while ((got = source_next(s)) == ROW_OK || got == ROW_BAD) {
		must(s->row.line >= last && s->row.columns <= ROW_COLUMNS_MAX);
		last = s->row.line;
		for (i = 0; got == ROW_OK && i < s->row.columns; i++) {
			cell = row_cell(&s->row, i, &n);
			must(cell == NULL || (cell[n] == '\0' && (n == 0 || (memchr(cell, 0, n) == NULL && utf8_valid(cell, n)))));
		}
		must(got == ROW_OK || s->why[0] != '\0');
	}
	must(got == ROW_END || s->why[0] != '\0');
	source_close(s);
}

static void
as_products(const uint8_t *data, size_t size)
{
	struct report *report = calloc(1, sizeof(*report));
	struct row_source *s = open_text(data, size);
	struct map *m = map_open(s, &options, report);
	struct item i;
	int f;

	while (map_next(m, &i) == MAP_ITEM) {
		must(i.v[F_SKU] != NULL && i.n[F_SKU] <= 400);
		must(!i.variant || i.v[F_PARENT] != NULL);
		for (f = 0; f < F__MAX; f++)
			check_text(i.v[f], i.n[f]);
	}
	must(report->bad == 0 || report->n > 0);
	map_close(m);
	source_close(s);
	report_release(report);
	free(report);
}

static void
as_orders(const uint8_t *data, size_t size)
{
	struct report *report = calloc(1, sizeof(*report));
	struct row_source *s = open_text(data, size);
	struct order_map *m = order_map_open(s, &options, "DELIVERED", report);
	struct order_line l;
	int f;

	while (order_map_next(m, &l) == MAP_ITEM) {
		must(l.v[O_NUMBER] != NULL && l.v[O_SKU] != NULL && l.v[O_QUANTITY] != NULL && l.v[O_PRICE] != NULL && l.v[O_DATE] != NULL);
		for (f = 0; f < O__MAX; f++)
			check_text(l.v[f], l.n[f]);
	}
	order_map_close(m);
	source_close(s);
	report_release(report);
	free(report);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct row_source *s = open_text(data, size);
	enum format is = s->sniff.format;

	source_close(s);
	if (is == FORMAT_XLSX)
		return 0;
	as_rows(data, size);
	as_products(data, size);
	as_orders(data, size);
	return 0;
}
