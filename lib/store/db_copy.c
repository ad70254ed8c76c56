/* COPY in both directions; see db_copy.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "store/db_copy.h"
#include "store/db_internal.h"
#include "store/shm.h"

#define PENDING_MAX (1u << 20)	/* let libpq's buffer run empty at the latest after so many bytes */
#define PUT_MAX (1u << 16)	/* bytes of one CopyData message */

static int64_t
stall_end(const struct ctx *c)
{
	int64_t end = now_ms() + DB_COPY_STALL_MS;

	return end < c->deadline_ms ? end : c->deadline_ms;
}

/* The next result of a statement outside the pipeline; *lost tells apart the end from a broken connection. */
static PGresult *
next_result(struct ctx *c, bool *lost)
{
	int64_t end = stall_end(c);
	const char *why = NULL;

	*lost = false;
	while (PQisBusy(db.pg))
		if (!db_wait(NULL, end, &why)) {
			*lost = true;
			return NULL;
		}
	return PQgetResult(db.pg);
}

/* Take in what is left of the statement and go back to pipeline mode.  *bad keeps the first error. */
static bool
finish(struct ctx *c, PGresult **bad, int64_t *rows)
{
	PGresult *r;
	bool lost;

	while ((r = next_result(c, &lost)) != NULL) {
		ExecStatusType st = PQresultStatus(r);

		if (st == PGRES_COMMAND_OK && rows != NULL)
			*rows = strtoll(PQcmdTuples(r), NULL, 10);
		if ((st == PGRES_FATAL_ERROR || st == PGRES_BAD_RESPONSE) && *bad == NULL)
			*bad = r;
		else
			PQclear(r);
		if (st == PGRES_COPY_IN || st == PGRES_COPY_OUT || PQstatus(db.pg) == CONNECTION_BAD)
			return false;
	}
	db.used_ms = now_ms();
	return !lost && PQenterPipelineMode(db.pg) == 1;
}

static enum err
end_with(struct ctx *c, const struct sql *q, int64_t *rows)
{
	PGresult *bad = NULL;
	enum err e = E_OK;

	if (!finish(c, &bad, rows))
		e = db_lost(c, q->name, "copy", bad);
	else if (bad != NULL)
		e = db_refused(c, q->name, bad);
	else
		breaker_ok(BREAKER_POSTGRESQL);
	PQclear(bad);
	return e;
}

/* Send the statement; E_OK when the server is in the state want. */
static enum err
start(struct ctx *c, const struct sql *q, ExecStatusType want)
{
	PGresult *r;
	ExecStatusType st;
	enum err e = db.in_tx ? db_begin_now(c) : db_open(c);
	bool lost;

	if (e != E_OK)
		return e;
	if (!PQexitPipelineMode(db.pg) || !PQsendQuery(db.pg, q->text))
		return db_lost(c, q->name, "copy", NULL);
	r = next_result(c, &lost);
	st = PQresultStatus(r);
	if (st == want) {
		PQclear(r);
		return E_OK;
	}
	if (lost || r == NULL || st != PGRES_FATAL_ERROR) {
		e = db_lost(c, q->name, "copy", r);
		PQclear(r);
		return e;
	}
	e = db_refused(c, q->name, r);
	PQclear(r);
	return end_with(c, q, NULL) == E_UNAVAILABLE ? E_UNAVAILABLE : e;
}

enum err
db_copy_begin(struct ctx *c, struct db_copy *cp, const struct sql *q)
{
	*cp = (struct db_copy){ .c = c, .q = q, .buf = arena_alloc(c->a, PUT_MAX) };
	return start(c, q, PGRES_COPY_IN);
}

/* Send until nothing waits.  The server may answer meanwhile (an error in a row); that is read, not lost. */
static enum err
drain(struct db_copy *cp)
{
	const char *why = "copy";

	if (!db_flush(stall_end(cp->c), &why))
		return db_lost(cp->c, cp->q->name, why, NULL);
	cp->pending = 0;
	return E_OK;
}

/* Hand what has gathered to libpq. */
static enum err
hand_over(struct db_copy *cp)
{
	enum err e;
	int put;

	if (db.pg == NULL)
		return db_unavailable(cp->c);
	if (now_ms() >= cp->c->deadline_ms)
		return db_lost(cp->c, cp->q->name, "deadline", NULL);
	while ((put = PQputCopyData(db.pg, cp->buf, (int)cp->n)) == 0)
		if ((e = drain(cp)) != E_OK)
			return e;
	if (put < 0)
		return db_lost(cp->c, cp->q->name, "copy", NULL);
	cp->pending += cp->n;
	cp->n = 0;
	return cp->pending >= PENDING_MAX ? drain(cp) : E_OK;
}

enum err
db_copy_put(struct db_copy *cp, const char *p, size_t n)
{
	enum err e;

	while (n > 0) {
		size_t part = PUT_MAX - cp->n < n ? PUT_MAX - cp->n : n;

		memcpy(cp->buf + cp->n, p, part);
		cp->n += part;
		p += part;
		n -= part;
		if (cp->n == PUT_MAX && (e = hand_over(cp)) != E_OK)
			return e;
	}
	return E_OK;
}

static enum err
end_copy(struct db_copy *cp, const char *why, int64_t *rows)
{
	enum err e;
	int put;

	if (db.pg == NULL)
		return db_unavailable(cp->c);
	if (why == NULL && cp->n > 0 && (e = hand_over(cp)) != E_OK)
		return e;
	while ((put = PQputCopyEnd(db.pg, why)) == 0)
		if ((e = drain(cp)) != E_OK)
			return e;
	if (put < 0)
		return db_lost(cp->c, cp->q->name, "copy", NULL);
	if ((e = drain(cp)) != E_OK)
		return e;
	return end_with(cp->c, cp->q, rows);
}

enum err
db_copy_end(struct db_copy *cp, int64_t *rows)
{
	if (rows != NULL)
		*rows = 0;
	return end_copy(cp, NULL, rows);
}

void
db_copy_cancel(struct db_copy *cp)
{
	struct ctx mine = *cp->c;	/* the refusal that follows is no news */

	cp->c = &mine;
	(void)end_copy(cp, "cancelled", NULL);
	cp->c = NULL;
}

/* One portion; -1 end, 0 lost or refused (noted), 1 given to put. */
static int
copy_portion(struct ctx *c, const struct sql *q, enum err (*put)(void *, const char *, size_t), void *arg, enum err *e)
{
	int64_t end = stall_end(c);
	const char *why = "copy";
	char *p = NULL;
	int n;

	while ((n = PQgetCopyData(db.pg, &p, 1)) == 0)
		if (!db_wait(NULL, end, &why)) {
			*e = db_lost(c, q->name, why, NULL);
			return 0;
		}
	if (n == -1)
		return -1;
	if (n < 0) {
		*e = db_lost(c, q->name, "copy", NULL);
		return 0;
	}
	*e = put(arg, p, (size_t)n);
	PQfreemem(p);
	if (*e == E_OK)
		return 1;
	db_drop();
	return 0;
}

enum err
db_copy_out(struct ctx *c, const struct sql *q, enum err (*put)(void *arg, const char *p, size_t n), void *arg, int64_t *rows)
{
	enum err e = start(c, q, PGRES_COPY_OUT);
	int more = 1;

	if (rows != NULL)
		*rows = 0;
	if (e != E_OK)
		return e;
	while (more == 1)
		more = copy_portion(c, q, put, arg, &e);
	return more == 0 ? e : end_with(c, q, rows);
}
