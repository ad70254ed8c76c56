/*
 * From rows to the catalogue.  Batches of rows are copied into a temporary table and merged by set-based statements, each batch in one
 * transaction, so that a kill at any time leaves whole batches and a second run completes them.  While the server works on one
 * batch the next is read and mapped, and large files use two connections, each SKU always the same one.  The connections are
 * the import's own: they run as the owner and have no request deadline, but a server that makes no progress for
 * IMPORT_STALL_MS ends the import.
 */
#ifndef SOUK_SHOP_IMPORT_H
#define SOUK_SHOP_IMPORT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shop/map.h"
#include "shop/report.h"
#include "shop/source.h"
#include "store/sql.h"

#define IMPORT_STALL_MS 600000
#define IMPORT_BATCH_ROWS 4000u
#define IMPORT_BATCH_BYTES (5u << 20)

enum import_result { IMPORT_DONE, IMPORT_UNUSABLE /* the file: why */, IMPORT_DATABASE /* why */, IMPORT_STOPPED };

struct import {
	PGconn *pg;
	PGconn *(*connect)(void *arg);	/* for a second connection, closed by the caller's pg2; may be NULL */
	PGconn *pg2;
	struct row_source *src;
	struct map_options opt;
	struct report report;
	bool dry_run;
	int64_t stock;		/* of new products whose file does not tell it */
	const char *status;	/* of orders that name none */
	void (*progress)(void *arg, const struct import *im, const char *phase);	/* often; may be NULL */
	void *arg;
	bool stop;		/* set it while products are imported: IMPORT_STOPPED; whole batches that were begun stay */
	char layout[32];	/* "WooCommerce export", for the summary */
	char unused[400];	/* columns that mean nothing, as map_unused() names them */
	char why[400];		/* after IMPORT_UNUSABLE and IMPORT_DATABASE */
};

/* Both need pg, src, opt, status and stock filled; the report may have on_bad. */
enum import_result import_products(struct import *im);
enum import_result import_orders(struct import *im);

/* ---- import_pg.c: for the two above ---- */

/* One row, as COPY text, is appended by these. */
struct copy_buf {
	char *p;
	size_t used, room;
	size_t *at;		/* where row i begins; at[rows] is the end */
	int64_t *line;
	size_t rows, rowsroom;
};

void copy_null(struct copy_buf *b);
void copy_text(struct copy_buf *b, const char *s, size_t n);	/* NULL: SQL NULL */
void copy_int(struct copy_buf *b, int64_t v);
void copy_row_end(struct copy_buf *b, int64_t line);
void copy_clear(struct copy_buf *b);
void copy_release(struct copy_buf *b);

/* Statements one after the other in one message; up to 24 of them. */
struct script {
	const struct sql *q[24];
	int n;
};
void script_add(struct script *s, const struct sql *q);

/* How a statement ended. */
enum pg_end {
	PG_OK,
	PG_DATA,	/* a value was refused: some row of the batch is bad */
	PG_AGAIN,	/* deadlock or lock timeout: the same batch may succeed now */
	PG_FAILED	/* anything else; im->why */
};

/* One of the import's connections. */
struct link {
	PGconn *pg;
	struct import *im;	/* for why */
};

/* Send the statements without waiting. */
bool pg_send(struct link *l, const struct script *s);
/* Wait for them; results[i] belongs to the caller (NULL after the first error).  state gets the message of PG_DATA. */
enum pg_end pg_wait(struct link *l, const struct script *s, PGresult **results, char *message, size_t messagesz);
/* Both, for one statement; with text parameters; PG_DATA and PG_AGAIN count as failures in pg_run(). */
enum pg_end pg_run_with(struct link *l, const struct sql *q, int n, const char *const *v, PGresult **out, char *message, size_t messagesz);
enum pg_end pg_run(struct link *l, const struct sql *q, PGresult **out);
/* Rows from..to of b through a COPY ... FROM STDIN. */
enum pg_end pg_copy(struct link *l, const struct sql *q, const struct copy_buf *b, size_t from, size_t to, char *message, size_t messagesz);
int64_t pg_number(const PGresult *r, int row, int column);

#endif
