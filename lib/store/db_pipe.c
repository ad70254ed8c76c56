/*
 * Pipelines and prepared statements.  A statement is prepared on the connection that first runs it, in the pipeline that
 * runs it, so that preparing costs no round trip.
 */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/config.h"
#include "store/db_internal.h"
#include "store/shm.h"

#define PREPARED_SLOTS 512	/* a power of two */
#define PREPARED_MAX 384	/* what is beyond runs unprepared */

enum { PREP_NONE, PREP_SENT, PREP_READY };

/* The identity of a statement is its struct; two with one name (a query and a tool) are told apart on the server by a number. */
struct db_prepared {
	const struct sql *q;
	const char *text;
	unsigned twin;		/* 0: the plain name is free */
	unsigned state;
};

static struct db_prepared prepared[PREPARED_SLOTS];
static unsigned prepared_n;

bool
db_prepared_off(void)
{
	static int off = -1;

	if (off < 0)
		off = !cfg_bool("DB_PREPARED");
	return off == 1;
}

void
db_prepared_reset(void)
{
	for (unsigned i = 0; i < PREPARED_SLOTS; i++)
		prepared[i].state = PREP_NONE;
}

static struct db_prepared *
prepared_insert(struct db_prepared *slot, const struct sql *q)
{
	unsigned twin = 0;

	if (prepared_n == PREPARED_MAX)
		return NULL;
	for (unsigned i = 0; i < PREPARED_SLOTS; i++)
		if (prepared[i].q != NULL && strcmp(prepared[i].q->name, q->name) == 0)
			twin++;
	prepared_n++;
	*slot = (struct db_prepared){ q, q->text, twin, PREP_NONE };
	return slot;
}

/* The row of q; NULL: run it unprepared. */
static struct db_prepared *
prepared_find(const struct sql *q)
{
	unsigned i;

	if (db_prepared_off())
		return NULL;
	i = (unsigned)(((uintptr_t)q >> 4) * 0x9E3779B97F4A7C15u >> 40);
	for (;; i++) {
		struct db_prepared *slot = &prepared[i & (PREPARED_SLOTS - 1)];

		if (slot->q == q && slot->text == q->text)
			return slot;
		if (slot->q == NULL)
			return prepared_insert(slot, q);
	}
}

/* The server cuts names at 63 bytes. */
static const char *
server_name(const struct db_prepared *s, char buf[64])
{
	if (s->twin == 0)
		return s->q->name;
	(void)snprintf(buf, 64, "%.48s:%u", s->q->name, s->twin);
	return buf;
}

static int
pipe_note(struct db_pipe *p, const struct sql *q, struct db_prepared *prep, int sent)
{
	if (!sent)
		p->broken = true;
	p->q[p->n] = q;
	p->prep[p->n] = prep;
	return p->n++;
}

int
db_pipe_add(struct db_pipe *p, const struct sql *q, int n, const char *const *v)
{
	struct db_prepared *s = prepared_find(q);
	char buf[64];

	if (p->broken || p->n > DB_PIPE_MAX - 2) {
		p->broken = true;
		return 0;
	}
	if (s == NULL) {
		p->want = pipe_note(p, q, NULL, PQsendQueryParams(db.pg, q->text, n, NULL, v, NULL, NULL, 0));
		return p->want;
	}
	if (s->state == PREP_NONE) {
		pipe_note(p, q, s, PQsendPrepare(db.pg, server_name(s, buf), q->text, 0, NULL));
		s->state = PREP_SENT;
	}
	p->want = pipe_note(p, q, NULL, PQsendQueryPrepared(db.pg, server_name(s, buf), n, v, NULL, NULL, 0));
	return p->want;
}

/* The next result, NULL at the end of an entry; false: lost. */
static bool
next_result(const struct ctx *by, int64_t end_ms, PGresult **r, const char **why)
{
	*r = NULL;
	while (PQisBusy(db.pg))
		if (!db_wait(by, end_ms, why))
			return false;
	*r = PQgetResult(db.pg);
	return true;
}

/* All results of entry i: the last one that is no refusal is kept if it is wanted. */
static bool
take_entry(struct ctx *c, struct db_pipe *p, int i, PGresult **out, PGresult **bad, int *bad_at, const char **why)
{
	PGresult *r;
	bool good = false;

	for (;;) {
		if (!next_result(p->may_give_up ? c : NULL, c->deadline_ms, &r, why))
			return false;
		if (r == NULL)
			break;
		switch (PQresultStatus(r)) {
		case PGRES_TUPLES_OK:
		case PGRES_COMMAND_OK:
			good = true;
			if (i == p->want && p->prep[i] == NULL && *out == NULL) {
				*out = r;
				r = NULL;
			}
			break;
		case PGRES_PIPELINE_ABORTED:
			break;
		default:
			if (*bad == NULL) {
				*bad = r;
				*bad_at = i;
				r = NULL;
			}
			if (PQstatus(db.pg) == CONNECTION_BAD) {
				PQclear(r);
				return false;
			}
		}
		PQclear(r);
	}
	if (p->prep[i] != NULL)
		p->prep[i]->state = good ? PREP_READY : PREP_NONE;
	return true;
}

static bool
take_sync(int64_t end_ms, const char **why)
{
	PGresult *r;
	bool got;

	if (!next_result(NULL, end_ms, &r, why))
		return false;
	got = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
	PQclear(r);
	return got;
}

enum db_end
db_pipe_run(struct ctx *c, struct db_pipe *p, PGresult **out, PGresult **bad, int *bad_at)
{
	const char *why = "connection lost";
	bool ok;

	*out = *bad = NULL;
	*bad_at = p->n > 0 ? p->n - 1 : 0;
	/* the owner's statements may take their time: a lock on a large table, an index */
	db.ask_ms = db.owner ? 0 : now_ms() + DB_SILENT_MS;
	ok = !p->broken && PQpipelineSync(db.pg);
	for (int i = 0; ok && i < p->n; i++)
		ok = take_entry(c, p, i, out, bad, bad_at, &why);
	ok = ok && take_sync(c->deadline_ms, &why);
	db.ask_ms = 0;
	if (ok) {
		breaker_ok(BREAKER_POSTGRESQL);
		db_note_notifications();
		db.used_ms = now_ms();
	}
	if (ok && *bad == NULL)
		return DB_DONE;
	PQclear(*out);
	*out = NULL;
	if (ok)
		return DB_REFUSED;
	if (why == DB_LEFT) {
		db_give_up(c, p->q[p->want]->name);
		return DB_GIVEN_UP;
	}
	(void)db_lost(c, p->n > 0 ? p->q[*bad_at]->name : "", why, *bad);
	return DB_LOST;
}

bool
db_is_stale(const PGresult *bad)
{
	const char *state = PQresultErrorField(bad, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(bad, PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL)
		return false;
	/* the preparation is gone (a pooler's DISCARD ALL), or a migration changed what the statement returns */
	return strcmp(state, "26000") == 0 ||
	    (strcmp(state, "0A000") == 0 && text != NULL && strstr(text, "cached plan") != NULL);
}
