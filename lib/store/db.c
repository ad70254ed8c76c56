/* Statements and transactions: what the rest of souk sees of PostgreSQL. */
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db_internal.h"

static const struct db_subject souk_itself = { .kind = "system" };

static const char *
text_or_empty(const char *s)
{
	return s ? s : "";
}

static void
add_subject(struct db_pipe *p, const struct db_subject *who)
{
	const char *v[6] = { text_or_empty(who->kind), text_or_empty(who->customer_id), text_or_empty(who->token_id),
		text_or_empty(who->locale), text_or_empty(who->visitor), text_or_empty(who->order_id) };

	db_pipe_add(p, &sql_set_subject, 6, v);
}

/* The beginning of a transaction; behind a pooler it brings along what else lasts as long as the connection. */
static void
add_begin(struct db_pipe *p, enum db_mode mode)
{
	const char *v[5];

	db_pipe_add(p, mode == DB_WRITE ? &sql_tx_begin_write : &sql_tx_begin_read, 0, NULL);
	if (!db_prepared_off())
		return;
	db_session_params(v, true);
	db_pipe_add(p, &sql_db_session, 5, v);
}

/* Run a pipeline whose statements leave nothing to look at.  The connection is gone when even that failed. */
static bool
run_plain(struct ctx *c, struct db_pipe *p, PGresult **bad, int *at)
{
	PGresult *out;
	enum db_end end = db_pipe_run(c, p, &out, bad, at);

	PQclear(out);
	return end == DB_DONE;
}

/* Leave a transaction block that has failed. */
static void
leave_block(struct ctx *c)
{
	struct db_pipe p = { 0 };
	PGresult *bad;
	int at;

	if (db.pg == NULL || PQtransactionStatus(db.pg) == PQTRANS_IDLE)
		return;
	db_pipe_add(&p, &sql_tx_rollback, 0, NULL);
	if (!run_plain(c, &p, &bad, &at))
		db_drop();
	PQclear(bad);
}

/* What one call puts before and behind its statement. */
struct frame {
	bool block;			/* BEGIN ... COMMIT around it */
	enum db_mode mode;
	const struct db_subject *who;	/* NULL: nobody need be named */
};

static void
add_framed(struct db_pipe *p, const struct frame *f, const struct sql *q, int n, const char *const *v)
{
	int want;

	if (f->block)
		add_begin(p, f->mode);
	if (f->who != NULL)
		add_subject(p, f->who);
	want = db_pipe_add(p, q, n, v);
	if (f->block && !db.in_tx)
		db_pipe_add(p, &sql_tx_commit, 0, NULL);
	p->want = want;
	p->may_give_up = true;
}

/* In the open transaction; its BEGIN and its speaker go along with its first statement. */
static enum err
run_inside(struct ctx *c, const struct db_subject *who, const struct sql *q, int n, const char *const *v, PGresult **out)
{
	struct frame f = { !db.tx_sent, db.tx_mode, who };
	struct db_pipe p = { 0 };
	PGresult *bad;
	enum db_end end;
	enum err e = E_UNAVAILABLE;
	int at;

	if (db.tx_lost || (!db.tx_sent && db_open(c) != E_OK))
		return db_unavailable(c);
	if (who != NULL)
		db.tx_who = *who;
	else if (!db.tx_sent)
		f.who = &db.tx_who;
	add_framed(&p, &f, q, n, v);
	db.tx_sent = true;
	end = db_pipe_run(c, &p, out, &bad, &at);
	if (end == DB_REFUSED)
		e = db_refused(c, p.q[at]->name, bad);
	else if (end == DB_GIVEN_UP)
		e = E_CANCELLED;
	PQclear(bad);
	return end == DB_DONE ? E_OK : e;
}

/* In a transaction of its own; once more when the server no longer knows a preparation, since then nothing was done. */
static enum err
run_alone(struct ctx *c, const struct frame *f, const struct sql *q, int n, const char *const *v, PGresult **out)
{
	enum err e;

	for (bool again = false;; again = true) {
		struct db_pipe p = { 0 };
		PGresult *bad;
		enum db_end end;
		bool stale;
		int at;

		if ((e = db_open(c)) != E_OK)
			return e;
		add_framed(&p, f, q, n, v);
		end = db_pipe_run(c, &p, out, &bad, &at);
		if (end == DB_DONE)
			return E_OK;
		stale = end == DB_REFUSED && !again && db_is_stale(bad);
		e = end == DB_LOST ? E_UNAVAILABLE : end == DB_GIVEN_UP ? E_CANCELLED : E_OK;
		if (end == DB_REFUSED && !stale)
			e = db_refused(c, p.q[at]->name, bad);
		PQclear(bad);
		if (stale)
			db_drop();
		else if (end == DB_REFUSED)
			leave_block(c);
		if (!stale)
			return e;
	}
}

static enum err
run(struct ctx *c, enum db_mode mode, const struct db_subject *who, const struct sql *q, int n, const char *const *v,
	PGresult **out)
{
	struct frame f = { mode == DB_WRITE || db_prepared_off(), mode, who };
	enum err e;

	*out = NULL;
	e = db.in_tx ? run_inside(c, who, q, n, v, out) : run_alone(c, &f, q, n, v, out);
	if (e == E_OK)
		db_defer_clear(c, *out);
	return e;
}

static void
first_text(const PGresult *r, const char **out, size_t *outsz)
{
	bool some = PQntuples(r) > 0 && PQnfields(r) > 0 && !PQgetisnull(r, 0, 0);

	*out = some ? PQgetvalue(r, 0, 0) : NULL;
	*outsz = some ? (size_t)PQgetlength(r, 0, 0) : 0;
}

enum err
db_exec(struct ctx *c, const struct sql *q, int n, const char *const *v, PGresult **out)
{
	return run(c, DB_READ, NULL, q, n, v, out);
}

enum err
db_write(struct ctx *c, const struct sql *q, int n, const char *const *v, PGresult **out)
{
	return run(c, DB_WRITE, NULL, q, n, v, out);
}

enum err
db_text(struct ctx *c, const struct sql *q, int n, const char *const *v, const char **out, size_t *outsz)
{
	PGresult *r;
	enum err e = run(c, DB_READ, NULL, q, n, v, &r);

	*out = NULL;
	*outsz = 0;
	if (e == E_OK)
		first_text(r, out, outsz);
	return e;
}

enum err
db_rows(struct ctx *c, enum db_mode mode, const struct db_subject *who, const struct sql *q, int n, const char *const *v, PGresult **out)
{
	return run(c, mode, who || db.in_tx ? who : &souk_itself, q, n, v, out);
}

enum err
db_call(struct ctx *c, enum db_mode mode, const struct db_subject *who, const struct sql *q, int n, const char *const *v,
	const char **out, size_t *outsz)
{
	PGresult *r;
	enum err e = db_rows(c, mode, who, q, n, v, &r);

	*out = NULL;
	*outsz = 0;
	if (e == E_OK)
		first_text(r, out, outsz);
	return e;
}

bool
db_may_write(void)
{
	return !db.in_tx || db.tx_mode == DB_WRITE;
}

enum err
db_begin(struct ctx *c, enum db_mode mode, const struct db_subject *who)
{
	enum err e;

	if (db.in_tx) {
		log_event(LOG_ERROR_, c, "transaction inside a transaction");
		return fail(c, E_INTERNAL, NULL);
	}
	if ((e = db_open(c)) != E_OK)
		return e;
	if (who == NULL)
		who = &souk_itself;
	db.in_tx = true;
	db.tx_sent = db.tx_lost = false;
	db.tx_mode = mode;
	/* the caller's strings live in its arena, which the transaction does not outlive */
	db.tx_who = *who;
	return E_OK;
}

enum err
db_begin_now(struct ctx *c)
{
	struct db_pipe p = { 0 };
	PGresult *bad;
	enum err e = E_UNAVAILABLE;
	bool done;
	int at;

	if (db.tx_sent)
		return db.tx_lost ? db_unavailable(c) : E_OK;
	if ((e = db_open(c)) != E_OK)
		return e;
	add_begin(&p, db.tx_mode);
	add_subject(&p, &db.tx_who);
	db.tx_sent = true;
	done = run_plain(c, &p, &bad, &at);
	e = done ? E_OK : bad ? db_refused(c, p.q[at]->name, bad) : E_UNAVAILABLE;
	PQclear(bad);
	return e;
}

enum err
db_commit(struct ctx *c)
{
	struct db_pipe p = { 0 };
	PGresult *bad;
	enum err e = E_OK;
	int at;

	if (!db.in_tx)
		return fail(c, E_INTERNAL, NULL);
	if (db.tx_lost) {
		db_rollback(c);
		return db_unavailable(c);
	}
	if (db.tx_sent && PQtransactionStatus(db.pg) != PQTRANS_INTRANS) {
		/* an error inside was overlooked: COMMIT would roll back and call that success */
		db_rollback(c);
		log_event(LOG_ERROR_, c, "commit of a failed transaction");
		return fail(c, E_INTERNAL, NULL);
	}
	if (db.tx_sent) {
		db_pipe_add(&p, &sql_tx_commit, 0, NULL);
		if (!run_plain(c, &p, &bad, &at))
			e = bad && db.pg ? db_refused(c, p.q[at]->name, bad) : E_UNAVAILABLE;
		PQclear(bad);
	}
	db.in_tx = db.tx_sent = db.tx_lost = false;
	return e;
}

void
db_rollback(struct ctx *c)
{
	struct ctx mine;

	if (!db.in_tx)
		return;
	mine = *c;	/* its own errors, and some time even when the request has none left */
	db.in_tx = false;
	if (db.tx_sent && !db.tx_lost && db.pg != NULL) {
		if (ctx_left_ms(&mine, DB_ROLLBACK_MS) < DB_ROLLBACK_MS)
			mine.deadline_ms = now_ms() + DB_ROLLBACK_MS;
		leave_block(&mine);
	}
	db.tx_sent = db.tx_lost = false;
}
