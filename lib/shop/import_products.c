/* Products: batches of items into import_row, then the statements of sql/query/import_*.sql. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/failstop.h"
#include "gen/sql.h"
#include "shop/import.h"

#define TRIES 6

#define NAMES (2 * IMPORT_BATCH_ROWS + 192)	/* more than twice what a batch holds */

struct batch {
	struct copy_buf rows;
	bool variants, languages, names;
	uint64_t name[NAMES];	/* hashes of the products' names, open addressing; 0: free */
};

/* A connection with what it works on. */
struct worker {
	struct import *im;
	struct link link;
	struct batch b[2];
	int now;		/* the batch being filled */
	bool running;		/* the other one is with the server */
	struct script script;	/* of the running one */
	int counts, single, refused;	/* places in the script */
	bool last;		/* the waiting variants: what still has no product is lost */
	bool waited;		/* some batch had variants */
};

struct products {
	struct import *im;
	struct map *map;
	struct worker w[2];
	unsigned workers;
	int64_t n;
};

/* ---- one row ---- */

/* A SKU, with its variants, always goes to the same connection.  Files that name products in other ways use one. */
static struct worker *
worker_of(struct products *p, const struct item *i)
{
	const char *key = i->variant ? i->v[F_PARENT] : i->v[F_SKU];
	uint32_t h = 2166136261u;

	if (p->workers == 1)
		return &p->w[0];
	for (; key != NULL && *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * 16777619u;	/* FNV-1a */
	return &p->w[(h >> 16) % p->workers];
}

/* Of what the slug will be made of: letters and digits, without case. */
static uint64_t
name_hash(const struct item *i)
{
	const char *s = i->v[F_SLUG] != NULL ? i->v[F_SLUG] : i->v[F_NAME];
	uint64_t h = 14695981039346656037u;
	size_t n = i->v[F_SLUG] != NULL ? i->n[F_SLUG] : i->n[F_NAME];

	for (; s != NULL && n > 0; s++, n--) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
			h = (h ^ (c < 0x80 ? c | 32 : c)) * 1099511628211u;	/* FNV-1a */
	}
	return h | 1;
}

static uint64_t *
name_slot(struct batch *b, uint64_t h)
{
	size_t at = (size_t)(h >> 20) % NAMES;

	while (b->name[at] != 0 && b->name[at] != h)
		at = (at + 1) % NAMES;
	return &b->name[at];
}

/*
 * Is a product of that name under way on the other connection?  Then ours gets another slug at once: if both tried to have the
 * same, one would wait for the other's transaction, or both would.
 */
static bool
is_crowded(struct products *p, struct worker *w, const struct item *i)
{
	uint64_t h = name_hash(i);
	bool crowded = false;
	unsigned k;

	*name_slot(&w->b[w->now], h) = h;
	for (k = 0; k < p->workers; k++) {
		if (&p->w[k] != w)
			crowded |= *name_slot(&p->w[k].b[0], h) == h || *name_slot(&p->w[k].b[1], h) == h;
	}
	return crowded;
}

static void
put_item(struct products *p, struct worker *w, const struct item *i)
{
	struct batch *b = &w->b[w->now];
	struct copy_buf *c = &b->rows;
	char hint[184], stock[24];
	size_t hintsz = 0;
	int f;

	if (!i->variant && i->v[F_NAME] != NULL)
		hintsz = value_slug_ascii(i->v[F_NAME], i->n[F_NAME], hint, 180);
	copy_int(c, p->n++);
	copy_int(c, i->line);
	copy_text(c, i->variant ? "t" : "f", 1);
	copy_text(c, i->derive ? "t" : "f", 1);
	copy_text(c, !i->variant && p->workers > 1 && is_crowded(p, w, i) ? "t" : "f", 1);
	copy_int(c, (int64_t)i->has);
	copy_text(c, hintsz > 0 ? hint : NULL, hintsz);
	copy_text(c, i->reference, i->reference != NULL ? strlen(i->reference) : 0);
	for (f = 0; f < F__MAX; f++) {
		if (f == F_STOCK && (i->has & FIELD_BIT(F_STOCK)) == 0 && p->im->stock != 0)
			copy_text(c, stock, (size_t)snprintf(stock, sizeof(stock), "%lld", (long long)p->im->stock));
		else
			copy_text(c, i->v[f], i->n[f]);
	}
	copy_row_end(c, i->line);
	b->variants |= i->variant;
	b->names |= i->reference != NULL;
	b->languages |= (i->has & FIELD_BIT(F_LANG)) != 0;
}

/* ---- one batch ---- */

static void
add_variants(struct worker *w, bool dry)
{
	struct script *s = &w->script;

	script_add(s, &sql_import_joins_by_index);
	script_add(s, &sql_import_variant_parents);
	script_add(s, &sql_import_variant_plan);
	script_add(s, &sql_import_joins_any);
	if (dry)
		script_add(s, &sql_import_variant_seen);
	if (!w->last)
		script_add(s, &sql_import_variant_wait);
	if (!dry) {
		script_add(s, &sql_import_variant_update);
		script_add(s, &sql_import_variant_insert);
		script_add(s, &sql_import_variant_prices);
	}
}

/*
 * The whole transaction after the COPY, its end included: it must never wait for us, because the other connection may wait for its
 * locks while we wait for that one.
 */
static void
make_script(struct worker *w, const struct batch *b)
{
	struct script *s = &w->script;
	bool dry = w->im->dry_run;

	s->n = 0;
	if (!w->last) {
		w->single = s->n;
		script_add(s, &sql_import_row_single);
	}
	if (b->names)
		script_add(s, &sql_import_names);
	if (!dry)
		script_add(s, &sql_import_categories);
	script_add(s, &sql_import_joins_by_index);
	if (b->languages)
		script_add(s, &sql_import_row_translate);
	script_add(s, &sql_import_plan);
	script_add(s, &sql_import_joins_any);
	if (dry) {
		script_add(s, &sql_import_plan_seen);
		if (b->variants)
			script_add(s, &sql_import_seen_add);
	} else {
		script_add(s, &sql_import_update);
		script_add(s, &sql_import_insert);
	}
	if (b->variants)
		add_variants(w, dry);
	if (dry)
		script_add(s, &sql_import_seen_add);
	w->refused = s->n;
	script_add(s, w->last ? &sql_import_waiting_lost : &sql_import_refused);
	w->counts = s->n;
	script_add(s, &sql_import_counts);
	script_add(s, &sql_tx_commit);
}

/* Copy rows from..to of the batch and let the server begin to merge them. */
static enum pg_end
start(struct worker *w, const struct batch *b, size_t from, size_t to, char *message, size_t messagesz)
{
	struct script open = { { &sql_tx_begin_write, &sql_import_row_clear }, 2 };
	PGresult *r[2];
	enum pg_end end;

	if (!pg_send(&w->link, &open))
		return PG_FAILED;
	end = pg_wait(&w->link, &open, r, message, messagesz);
	PQclear(r[0]);
	PQclear(r[1]);
	if (end == PG_OK && w->last)
		end = pg_run(&w->link, &sql_import_waiting_take, NULL);
	else if (end == PG_OK)
		end = pg_copy(&w->link, &sql_import_row_copy, &b->rows, from, to, message, messagesz);
	if (end != PG_OK)
		return end;
	make_script(w, b);
	return pg_send(&w->link, &w->script) ? PG_OK : PG_FAILED;
}

static void
add_counts(struct worker *w, PGresult **r)
{
	struct report *rep = &w->im->report;
	PGresult *c = r[w->counts], *x = r[w->refused];
	int i;

	rep->created += pg_number(c, 0, 0);
	rep->updated += pg_number(c, 0, 1);
	rep->unchanged += pg_number(c, 0, 2);
	rep->variants_created += pg_number(c, 0, 3);
	rep->variants_updated += pg_number(c, 0, 4);
	rep->variants_unchanged += pg_number(c, 0, 5);
	if (!w->last)
		rep->repeated += pg_number(r[w->single], 0, 0);
	for (i = 0; x != NULL && i < PQntuples(x); i++) {
		if (w->last)
			report_bad(rep, pg_number(x, i, 0), "parent", "there is no product \"%.100s\", neither in the file nor in the shop",
			    PQgetvalue(x, i, 1));
		else
			report_bad(rep, pg_number(x, i, 0), "name", "%s: %.100s", PQgetvalue(x, i, 2), PQgetvalue(x, i, 1));
	}
}

/* The end of what start() began. */
static enum pg_end
collect(struct worker *w, char *message, size_t messagesz)
{
	PGresult *r[24];
	enum pg_end end = pg_wait(&w->link, &w->script, r, message, messagesz);
	int i;

	if (end == PG_OK)
		add_counts(w, r);
	for (i = 0; i < w->script.n; i++)
		PQclear(r[i]);
	return end;
}

static bool
roll_back(struct worker *w)
{
	return PQtransactionStatus(w->link.pg) == PQTRANS_IDLE || pg_run(&w->link, &sql_tx_rollback, NULL) == PG_OK;
}

/* Rows from..to, whatever it takes: once more after a conflict, in halves to find the bad row. */
static bool
insist(struct worker *w, const struct batch *b, size_t from, size_t to)
{
	char message[256] = "";
	enum pg_end end = PG_AGAIN;
	int i;

	for (i = 0; i < TRIES && end == PG_AGAIN; i++) {
		if (i > 1)
			usleep((useconds_t)(50000 << i));
		end = start(w, b, from, to, message, sizeof(message));
		if (end == PG_OK)
			end = collect(w, message, sizeof(message));
		if (end == PG_FAILED || (end != PG_OK && !roll_back(w)))
			return false;
	}
	if (end == PG_OK)
		return true;
	if (w->last) {
		snprintf(w->im->why, sizeof(w->im->why), "%s", message);
		return false;
	}
	if (to - from == 1) {
		report_bad(&w->im->report, b->rows.line[from], NULL, "refused by the database: %s", message);
		return true;
	}
	return insist(w, b, from, from + (to - from) / 2) && insist(w, b, from + (to - from) / 2, to);
}

static bool
finish_running(struct worker *w)
{
	struct batch *b = &w->b[!w->now];
	char message[256];
	enum pg_end end;

	if (!w->running)
		return true;
	w->running = false;
	end = collect(w, message, sizeof(message));
	if (end == PG_DATA || end == PG_AGAIN)
		return roll_back(w) && insist(w, b, 0, b->rows.rows);
	return end == PG_OK;
}

/* The batch is full: it goes to the server as soon as that is free. */
static bool
hand_over(struct worker *w)
{
	struct batch *b = &w->b[w->now], *other = &w->b[!w->now];
	char message[256];
	enum pg_end end;

	if (!finish_running(w))
		return false;
	if (b->rows.rows == 0)
		return true;
	w->waited |= b->variants;
	w->now = !w->now;
	copy_clear(&other->rows);
	memset(other->name, 0, sizeof(other->name));
	other->variants = other->languages = other->names = false;
	end = start(w, b, 0, b->rows.rows, message, sizeof(message));
	if (end == PG_DATA || end == PG_AGAIN)
		return roll_back(w) && insist(w, b, 0, b->rows.rows);
	w->running = end == PG_OK;
	return end == PG_OK;
}

/* ---- the whole ---- */

static bool
prepare(struct worker *w, struct import *im, PGconn *pg)
{
	static const struct sql *const statements[] = {
		&sql_import_session, &sql_import_mark, &sql_import_row_table, &sql_import_row_external, &sql_import_plan_table, &sql_import_waiting_table, &sql_import_name_table, &sql_import_seen_table
	};
	size_t i;

	w->im = im;
	w->link.pg = pg;
	w->link.im = im;
	if (PQsetnonblocking(pg, 1) != 0)
		return false;
	for (i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		if (pg_run(&w->link, statements[i], NULL) != PG_OK)
			return false;
	}
	return true;
}

/* The file is a large one: two connections from here on, once what the first has is done.  A dry run remembers in one place. */
static bool
widen(struct products *p)
{
	struct import *im = p->im;

	if (p->workers > 1 || im->dry_run || im->connect == NULL || p->map->layout == &layout_woo)
		return true;
	if (!finish_running(&p->w[0]))
		return false;
	if ((im->pg2 = im->connect(im->arg)) == NULL || !prepare(&p->w[1], im, im->pg2))
		im->connect = NULL;	/* one will do */
	else
		p->workers = 2;
	im->why[0] = '\0';
	return true;
}

/* Variants that came before their product, now that all rows have been read. */
static bool
finish_waiting(struct worker *w)
{
	struct batch *b = &w->b[w->now];
	PGresult *r = NULL;
	int64_t waiting;

	if (!w->waited)
		return true;
	if (pg_run(&w->link, &sql_import_waiting_count, &r) != PG_OK)
		return false;
	waiting = pg_number(r, 0, 0);
	PQclear(r);
	if (waiting == 0)
		return true;
	w->last = true;
	copy_clear(&b->rows);
	b->variants = true;
	return insist(w, b, 0, 1);
}

static void
tell(struct products *p, const char *phase, int64_t *told_ms)
{
	if (p->im->progress == NULL || now_ms() - *told_ms < 200)
		return;
	*told_ms = now_ms();
	p->im->progress(p->im->arg, p->im, phase);
}

static bool
take(struct products *p, const struct item *i)
{
	struct worker *w = worker_of(p, i);
	const struct copy_buf *c = &w->b[w->now].rows;

	put_item(p, w, i);
	if (c->rows < IMPORT_BATCH_ROWS && c->used < IMPORT_BATCH_BYTES)
		return true;
	return hand_over(w) && widen(p);
}

static enum import_result
run(struct products *p)
{
	struct import *im = p->im;
	struct item item;
	enum map_got got = MAP_END;
	int64_t told_ms = 0;
	bool ok = true;
	unsigned k;

	while (ok && !im->stop && (got = map_next(p->map, &item)) == MAP_ITEM) {
		ok = take(p, &item);
		if ((p->n & 255) == 0)
			tell(p, "reading", &told_ms);
	}
	snprintf(im->layout, sizeof(im->layout), "%s", map_layout(p->map));
	map_unused(p->map, im->unused, sizeof(im->unused));
	/* what was read before a file broke off is good */
	for (k = 0; ok && !im->stop && k < p->workers; k++)
		ok = hand_over(&p->w[k]);
	for (k = 0; ok && k < p->workers; k++)
		ok = finish_running(&p->w[k]);
	for (k = 0; ok && !im->stop && k < p->workers; k++)
		ok = finish_waiting(&p->w[k]);
	if (!ok)
		return IMPORT_DATABASE;
	if (im->stop)
		return IMPORT_STOPPED;
	if (got == MAP_FAIL) {
		snprintf(im->why, sizeof(im->why), "%s", im->src->why);
		return IMPORT_UNUSABLE;
	}
	return IMPORT_DONE;
}

enum import_result
import_products(struct import *im)
{
	struct products *p = calloc(1, sizeof(*p));
	enum import_result result = IMPORT_DATABASE;
	int k;

	if (p == NULL)
		failstop("out of memory");
	p->im = im;
	p->workers = 1;
	p->map = map_open(im->src, &im->opt, &im->report);
	if (prepare(&p->w[0], im, im->pg))
		result = run(p);
	if (im->why[0] == '\0' && result == IMPORT_DATABASE)
		snprintf(im->why, sizeof(im->why), "%.300s", PQerrorMessage(im->pg));
	map_close(p->map);
	for (k = 0; k < 4; k++)
		copy_release(&p->w[k / 2].b[k % 2].rows);
	free(p);
	return result;
}
