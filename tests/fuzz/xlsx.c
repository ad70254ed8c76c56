/*
 * Any bytes as a workbook, parsed in this process: libzip, expat and our handlers without the walls around them.  Rows stay within the
 * bounds that the reader of the pipe relies on.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "core/json.h"
#include "shop/xlsx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int rows;

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static bool
on_row(void *arg, const struct row *r)
{
	size_t i, n;
	const char *s;

	(void)arg;
	must(r->columns <= ROW_COLUMNS_MAX && r->line > 0);
	for (i = 0; i < r->columns; i++) {
		s = row_cell(r, i, &n);
		must(s == NULL || (n <= XLSX_CELL_MAX && s[n] == '\0' && utf8_valid(s, n)));
	}
	return ++rows < 10000;
}

static bool
on_bad(void *arg, int64_t line, size_t column, const char *why)
{
	(void)arg;
	must(line > 0 && column < ROW_COLUMNS_MAX && why[0] != '\0');
	return ++rows < 10000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xlsx_sink sink = { on_row, on_bad, NULL };
	struct xlsx *x = calloc(1, sizeof(*x));
	zip_source_t *src = zip_source_buffer_create(data, size, 0, NULL);
	FILE *spill = tmpfile();

	rows = 0;
	must(x != NULL && src != NULL);
	x->strings.fd = spill != NULL ? dup(fileno(spill)) : -1;
	if ((x->zip = zip_open_from_source(src, ZIP_RDONLY, NULL)) == NULL)
		zip_source_free(src);
	else if (!xlsx_read(x, &sink))
		must(x->why[0] != '\0' || rows >= 10000);
	if (x->zip != NULL)
		zip_discard(x->zip);
	xlsx_release(x);
	free(x);
	if (spill != NULL)
		fclose(spill);
	return 0;
}
