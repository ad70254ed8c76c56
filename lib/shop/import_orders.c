/*
 * Orders: all lines of the file go into a temporary table first, because the lines of one order may be anywhere; then the orders are
 * written in steps of some thousand, each in one transaction.  An order is found again by its number; when anything
 * about it differs, its lines are replaced.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/failstop.h"
#include "gen/sql.h"
#include "shop/import.h"
#include "shop/order.h"

#define STEP 2000
#define TRIES 6

struct orders {
	struct import *im;
	struct link link;
	struct order_map *map;
	struct copy_buf rows;
	int64_t n, count;
	int64_t told_ms;
};

static void
tell(struct orders *o, const char *phase)
{
	if (o->im->progress == NULL || now_ms() - o->told_ms < 200)
		return;
	o->told_ms = now_ms();
	o->im->progress(o->im->arg, o->im, phase);
}

static bool
run_all(struct orders *o, const struct sql *const *q, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (pg_run(&o->link, q[i], NULL) != PG_OK)
			return false;
	}
	return true;
}

/* ---- reading ---- */

static void
put_line(struct orders *o, const struct order_line *l)
{
	int f;

	copy_int(&o->rows, o->n++);
	copy_int(&o->rows, l->line);
	copy_int(&o->rows, (int64_t)l->has);
	for (f = 0; f < O__MAX; f++)
		copy_text(&o->rows, l->v[f], l->n[f]);
	copy_row_end(&o->rows, l->line);
}

/* Values have been checked; one that the database still refuses is looked for in halves. */
static bool
stage(struct orders *o, size_t from, size_t to)
{
	char message[256] = "";
	enum pg_end end = pg_copy(&o->link, &sql_import_line_copy, &o->rows, from, to, message, sizeof(message));

	if (end == PG_OK || end == PG_FAILED)
		return end == PG_OK;
	if (to - from <= 1) {
		report_bad(&o->im->report, o->rows.line[from], NULL, "refused by the database: %s", message);
		return true;
	}
	return stage(o, from, from + (to - from) / 2) && stage(o, from + (to - from) / 2, to);
}

static enum import_result
read_lines(struct orders *o)
{
	struct order_line l;
	enum map_got got;
	bool ok = true;

	while (ok && (got = order_map_next(o->map, &l)) == MAP_ITEM) {
		put_line(o, &l);
		if (o->rows.used >= IMPORT_BATCH_BYTES) {
			ok = stage(o, 0, o->rows.rows);
			copy_clear(&o->rows);
		}
		if ((o->n & 255) == 0)
			tell(o, "reading");
	}
	if (ok && o->rows.rows > 0)
		ok = stage(o, 0, o->rows.rows);
	snprintf(o->im->layout, sizeof(o->im->layout), "%s", order_map_layout(o->map));
	if (!ok)
		return IMPORT_DATABASE;
	if (got == MAP_FAIL) {
		/* half a file may hold half an order: nothing is written */
		snprintf(o->im->why, sizeof(o->im->why), "%s", o->im->src->why);
		return IMPORT_UNUSABLE;
	}
	return IMPORT_DONE;
}

/* ---- writing ---- */

static enum pg_end
plan(struct orders *o, int64_t low, int64_t high, char *message, size_t messagesz)
{
	struct script open = { { &sql_tx_begin_write, &sql_import_now_clear }, 2 };
	PGresult *r[2];
	char a[24], b[24];
	const char *v[2] = { a, b };
	enum pg_end end;

	snprintf(a, sizeof(a), "%lld", (long long)low);
	snprintf(b, sizeof(b), "%lld", (long long)high);
	if (!pg_send(&o->link, &open))
		return PG_FAILED;
	end = pg_wait(&o->link, &open, r, message, messagesz);
	PQclear(r[0]);
	PQclear(r[1]);
	return end != PG_OK ? end : pg_run_with(&o->link, &sql_import_now_plan, 2, v, NULL, message, messagesz);
}

static enum pg_end
step(struct orders *o, int64_t low, int64_t high, char *message, size_t messagesz)
{
	static const struct sql *const write[] = {
		&sql_import_now_customers, &sql_import_now_whose, &sql_import_now_update, &sql_import_now_unline, &sql_import_now_insert,
		&sql_import_now_lines
	};
	struct report *rep = &o->im->report;
	struct script s = { { NULL }, 0 };
	PGresult *r[24];
	enum pg_end end = plan(o, low, high, message, messagesz);
	size_t i;
	int k;

	if (end != PG_OK)
		return end;
	for (i = 0; !o->im->dry_run && i < sizeof(write) / sizeof(write[0]); i++)
		script_add(&s, write[i]);
	script_add(&s, &sql_import_now_counts);
	script_add(&s, &sql_tx_commit);
	if (!pg_send(&o->link, &s))
		return PG_FAILED;
	if ((end = pg_wait(&o->link, &s, r, message, messagesz)) == PG_OK) {
		rep->created += pg_number(r[s.n - 2], 0, 0);
		rep->updated += pg_number(r[s.n - 2], 0, 1);
		rep->unchanged += pg_number(r[s.n - 2], 0, 2);
	}
	for (k = 0; k < s.n; k++)
		PQclear(r[k]);
	return end;
}

static bool
report_order(struct orders *o, int64_t b, const char *message)
{
	char text[24], none[64];
	const char *v[1] = { text };
	PGresult *r = NULL;

	snprintf(text, sizeof(text), "%lld", (long long)b);
	if (pg_run_with(&o->link, &sql_import_order_line, 1, v, &r, none, sizeof(none)) != PG_OK)
		return false;
	report_bad(&o->im->report, pg_number(r, 0, 0), NULL, "the order was refused by the database: %s", message);
	PQclear(r);
	return true;
}

static bool
insist(struct orders *o, int64_t low, int64_t high)
{
	char message[256] = "";
	enum pg_end end = PG_AGAIN;
	int i;

	for (i = 0; i < TRIES && end == PG_AGAIN; i++) {
		if (i > 1)
			usleep((useconds_t)(50000 << i));
		end = step(o, low, high, message, sizeof(message));
		if (end == PG_FAILED)
			return false;
		if (end != PG_OK && PQtransactionStatus(o->link.pg) != PQTRANS_IDLE && pg_run(&o->link, &sql_tx_rollback, NULL) != PG_OK)
			return false;
	}
	if (end == PG_OK)
		return true;
	if (low == high)
		return report_order(o, low, message);
	return insist(o, low, low + (high - low) / 2) && insist(o, low + (high - low) / 2 + 1, high);
}

static bool
write_orders(struct orders *o)
{
	static const struct sql *const before[] = {
		&sql_import_order_table, &sql_import_order_index, &sql_import_line_index, &sql_import_line_analyze
	};
	static const struct sql *const after[] = { &sql_refresh_counts, &sql_refresh_pairs };
	PGresult *r = NULL;
	int64_t low;

	tell(o, "sorting");
	if (!run_all(o, before, sizeof(before) / sizeof(before[0])) || pg_run(&o->link, &sql_import_order_count, &r) != PG_OK)
		return false;
	o->count = pg_number(r, 0, 0);
	PQclear(r);
	for (low = 1; low <= o->count; low += STEP) {
		if (!insist(o, low, low + STEP - 1 < o->count ? low + STEP - 1 : o->count))
			return false;
		tell(o, "writing");
	}
	if (o->im->dry_run || o->im->report.created + o->im->report.updated == 0)
		return true;
	return run_all(o, after, sizeof(after) / sizeof(after[0]));
}

enum import_result
import_orders(struct import *im)
{
	static const struct sql *const first[] = { &sql_import_session, &sql_import_line_table, &sql_import_now_table };
	struct orders *o = calloc(1, sizeof(*o));
	enum import_result result = IMPORT_DATABASE;

	if (o == NULL)
		failstop("out of memory");
	o->im = im;
	o->link.pg = im->pg;
	o->link.im = im;
	o->map = order_map_open(im->src, &im->opt, im->status, &im->report);
	if (PQsetnonblocking(im->pg, 1) == 0 && run_all(o, first, sizeof(first) / sizeof(first[0])))
		result = read_lines(o);
	if (result == IMPORT_DONE && o->n > 0 && !write_orders(o))
		result = IMPORT_DATABASE;
	im->report.lines = o->n;
	if (im->why[0] == '\0' && result == IMPORT_DATABASE)
		snprintf(im->why, sizeof(im->why), "%.300s", PQerrorMessage(im->pg));
	order_map_close(o->map);
	copy_release(&o->rows);
	free(o);
	return result;
}
