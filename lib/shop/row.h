/*
 * One row of a file: cells under named columns, whatever the format.  The columns of a table are fixed by its header; JSON objects may
 * bring new ones with any row.  A row's memory is reused by the next one and bounded by ROW_TEXT_MAX.
 */
#ifndef SOUK_SHOP_ROW_H
#define SOUK_SHOP_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_COLUMNS_MAX 512u
#define ROW_NAME_MAX 200u		/* bytes of a column's name; longer names are cut */
#define ROW_TEXT_MAX (4u << 20)		/* bytes of all cells of one row */

struct row {
	char *name[ROW_COLUMNS_MAX];	/* as in the file, trimmed, UTF-8 */
	size_t columns;
	size_t at[ROW_COLUMNS_MAX];	/* offset of the cell in text, plus one; 0: absent */
	size_t len[ROW_COLUMNS_MAX];
	char *text;
	size_t used, room;
	int64_t line;			/* where the row starts: line of the file, row of the sheet; from 1 */
	size_t hint;			/* where row_column() looks first */
};

void row_init(struct row *r);
void row_release(struct row *r);

/* Forget the cells, keep the columns. */
void row_start(struct row *r, int64_t line);

/* Index of the column of that name, added if it is new; ROW_COLUMNS_MAX when there are too many. */
size_t row_column(struct row *r, const char *name, size_t n);

/* Add a column even if the name is there already (headers of tables).  false: too many. */
bool row_add_column(struct row *r, const char *name, size_t n);

/* Fill a cell; n bytes, a NUL is added.  false: ROW_TEXT_MAX is reached. */
bool row_put(struct row *r, size_t column, const char *s, size_t n);

/* The cell as NUL-terminated text; NULL when absent.  Valid until the next row_put() or row_start(). */
const char *row_cell(const struct row *r, size_t column, size_t *n);

/* Are all cells absent or empty? */
bool row_blank(const struct row *r);

/* First cell that is no valid UTF-8 or has a NUL in it: its index, with *why; ROW_COLUMNS_MAX when all are good. */
size_t row_check(const struct row *r, const char **why);

#endif
