/* The connection: opening, watching, losing and closing it, and the notifications that come with it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db_internal.h"
#include "store/shm.h"

#define TLS_LOOK_MS 20
#define LEFT_LOOK_MS 100	/* between two looks whether the caller has given up */

const char DB_DEADLINE[] = "deadline", DB_SILENT[] = "the server is stopped", DB_LEFT[] = "given up";

struct db_state db;

/* Left to the parent after fork(); kept reachable, never touched again. */
__attribute__((used)) static PGconn *forgotten;

void
db_use_owner(void)
{
	db.owner = true;
}

void
db_drop(void)
{
	if (db.pg != NULL)
		PQfinish(db.pg);
	db.pg = NULL;
	if (db.in_tx && db.tx_sent)
		db.tx_lost = true;
	db_prepared_reset();
}

void
db_forget(void)
{
	if (db.pg != NULL) {
		(void)close(PQsocket(db.pg));
		forgotten = db.pg;
	}
	db.pg = NULL;
	db.in_tx = db.tx_sent = db.tx_lost = false;
	db_prepared_reset();
}

void
db_close_idle(int64_t idle_ms)
{
	if (db.pg != NULL && !db.in_tx && (idle_ms <= 0 || now_ms() - db.used_ms >= idle_ms))
		db_drop();
}

enum err
db_unavailable(struct ctx *c)
{
	if (c->retry_after_s == 0)
		c->retry_after_s = 1;
	return fail(c, E_UNAVAILABLE, NULL);
}

/* PQcancel() connects, and waits for the server to close: for long, when that is stopped. */
static void *
cancel(void *arg)
{
	char why[256];

	(void)PQcancel(arg, why, sizeof(why));
	PQfreeCancel(arg);
	return NULL;
}

/*
 * Nobody waits for what the server does on this connection: let it stop, without waiting for that.  The connection has to be dropped, since the order may
 * arrive after the statement's end and would hit the next one.
 */
static void
order_cancel(void)
{
	PGcancel *order = PQgetCancel(db.pg);
	pthread_attr_t detached;
	pthread_t thread;

	if (order == NULL || pthread_attr_init(&detached) != 0)
		return;
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, cancel, order) != 0)
		PQfreeCancel(order);
	(void)pthread_attr_destroy(&detached);
}

void
db_give_up(struct ctx *c, const char *statement)
{
	log_event(LOG_INFO_, c, "statement given up", LOG_S("statement", statement));
	(void)fail(c, E_CANCELLED, NULL);
	order_cancel();
	db_drop();
}

enum err
db_lost(struct ctx *c, const char *statement, const char *why, const PGresult *last)
{
	const char *state = last ? PQresultErrorField(last, PG_DIAG_SQLSTATE) : NULL;

	log_event(LOG_ERROR_, c, "database connection dropped", LOG_S("statement", statement), LOG_S("why", why),
		LOG_S("sqlstate", state), LOG_S("text", db.pg ? PQerrorMessage(db.pg) : ""));
	if (why == DB_SILENT)
		breaker_open(BREAKER_POSTGRESQL);
	else
		breaker_failed(BREAKER_POSTGRESQL);
	if (why == DB_DEADLINE || why == DB_SILENT)
		order_cancel();
	db_drop();
	return db_unavailable(c);
}

/* poll() until a deadline, again after signals.  False: the time is over. */
static bool
poll_until(int fd, short events, int64_t end_ms)
{
	for (;;) {
		struct pollfd p = { fd, events, 0 };
		int64_t left = end_ms - now_ms();
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return true;	/* the next call on the connection says what is wrong */
	}
}

/* A server that has been silent for long: ask whether it lives, and note when to ask again.  False: it is stopped. */
static bool
still_alive(int64_t end_ms)
{
	int64_t end = now_ms() + DB_ALIVE_MS;

	if (!db_answers(end < end_ms ? end : end_ms) && now_ms() < end_ms)
		return false;
	db.ask_ms = now_ms() + DB_SILENT_MS;
	return true;
}

/*
 * Under TLS bytes may wait in the TLS library, where poll() does not see them: there the look is repeated every TLS_LOOK_MS.
 */
bool
db_wait(const struct ctx *by, int64_t end_ms, const char **why)
{
	bool asks = by != NULL && by->given_up != NULL;
	int todo = PQflush(db.pg);
	int64_t look = PQsslInUse(db.pg) ? now_ms() + TLS_LOOK_MS : asks ? now_ms() + LEFT_LOOK_MS : end_ms;

	if (todo < 0)
		return false;
	if (db.ask_ms != 0 && look > db.ask_ms)
		look = db.ask_ms;
	if (!poll_until(PQsocket(db.pg), (short)(POLLIN | (todo ? POLLOUT : 0)), look < end_ms ? look : end_ms)) {
		if (now_ms() >= end_ms)
			*why = DB_DEADLINE;
		else if (asks && by->given_up(by->given_up_arg))
			*why = DB_LEFT;
		else if (db.ask_ms != 0 && now_ms() >= db.ask_ms && !still_alive(end_ms))
			*why = DB_SILENT;
		if (*why == DB_DEADLINE || *why == DB_LEFT || *why == DB_SILENT)
			return false;
	}
	return PQconsumeInput(db.pg) == 1;
}

bool
db_flush(int64_t end_ms, const char **why)
{
	int todo;

	while ((todo = PQflush(db.pg)) > 0) {
		if (!poll_until(PQsocket(db.pg), POLLIN | POLLOUT, end_ms)) {
			*why = DB_DEADLINE;
			return false;
		}
		if (PQconsumeInput(db.pg) != 1)
			return false;
	}
	return todo == 0;
}

void
db_note_notifications(void)
{
	PGnotify *n;

	while ((n = PQnotifies(db.pg)) != NULL) {
		if (strcmp(n->relname, "souk_changes") == 0)
			db_changes_note(n->extra);
		else if (strcmp(n->extra, "tokens") == 0)
			db.gen_tokens++;
		else if (strcmp(n->extra, "settings") == 0)
			db.gen_settings++;
		PQfreemem(n);
	}
}

/*
 * Take in what came while nothing was asked: notifications, or the end of the connection, after which there may be a last
 * word to read first.  False: dead.
 */
static bool
take_in(void)
{
	struct pollfd p = { PQsocket(db.pg), POLLIN, 0 };

	while (poll(&p, 1, 0) > 0)
		if (!PQconsumeInput(db.pg) || PQstatus(db.pg) != CONNECTION_OK)
			return false;
	db_note_notifications();
	db.looked_ms = now_ms();
	return true;
}

void
db_poll_notifications(void)
{
	if (db.pg != NULL && !db.in_tx && !take_in())
		db_drop();
}

unsigned
db_generation_tokens(void)
{
	return db.gen_tokens;
}

unsigned
db_generation_settings(void)
{
	return db.gen_settings;
}

/* Notices would go to standard error. */
static void
on_notice(void *arg, const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	(void)arg;
	log_event(LOG_DEBUG_, NULL, "database notice", LOG_S("sqlstate", state));
}

static PGconn *
connect_start(void)
{
	/* what stands before the URL can be changed by it, what stands behind cannot */
	static const char *const keys[] = { "application_name", "tcp_user_timeout", "keepalives_idle", "dbname",
		"connect_timeout", "gssencmode", "client_encoding", NULL };
	const char *values[] = { "souk", "3000", "5", cfg_str("DATABASE_URL"), "2", "disable", "UTF8", NULL };

	return PQconnectStartParams(keys, values, 1);
}

/* Connect within end_ms; NULL, with a line in the log, otherwise. */
static PGconn *
connect_until(struct ctx *c, int64_t end_ms)
{
	PGconn *pg = connect_start();
	PostgresPollingStatusType st = PGRES_POLLING_WRITING;
	bool in_time = true;

	if (pg == NULL || PQstatus(pg) == CONNECTION_BAD)
		st = PGRES_POLLING_FAILED;
	while (st == PGRES_POLLING_READING || st == PGRES_POLLING_WRITING) {
		in_time = poll_until(PQsocket(pg), st == PGRES_POLLING_READING ? POLLIN : POLLOUT, end_ms);
		st = in_time ? PQconnectPoll(pg) : PGRES_POLLING_FAILED;
	}
	if (st == PGRES_POLLING_OK)
		return pg;
	log_event(LOG_ERROR_, c, "database connection failed", LOG_S("why", in_time ? "refused" : "deadline"),
		LOG_S("text", pg ? PQerrorMessage(pg) : "out of memory"));
	PQfinish(pg);
	return NULL;
}

void
db_session_params(const char *v[5], bool local)
{
	static char timeout[24];

	/* a little less than the request has, so that the server gives up first and says why */
	if (timeout[0] == '\0')
		(void)snprintf(timeout, sizeof(timeout), "%lld", (long long)(cfg_int("API_TIMEOUT_MS") * 24 / 25));
	v[0] = db.owner ? "0" : timeout;
	v[1] = db.owner ? "0" : "1s";
	v[2] = db.owner ? "0" : "5s";
	v[3] = db.owner ? "owner" : "web";
	v[4] = local ? "true" : "false";
}

/* Settings, role and LISTEN in one round trip.  A pooler would hand them to somebody else: there each transaction brings its own. */
static enum err
session_start(struct ctx *c)
{
	struct db_pipe p = { 0 };
	PGresult *out, *bad;
	const char *v[5];
	int at;
	enum err e;

	if (db_prepared_off())
		return E_OK;
	db_session_params(v, false);
	db_pipe_add(&p, &sql_db_session, 5, v);
	db_pipe_add(&p, &sql_db_listen, 0, NULL);
	switch (db_pipe_run(c, &p, &out, &bad, &at)) {
	case DB_DONE:
		PQclear(out);
		return E_OK;
	case DB_REFUSED:
		e = db_refused(c, p.q[at]->name, bad);
		PQclear(bad);
		db_drop();
		return e == E_UNAVAILABLE ? e : E_INTERNAL;
	case DB_GIVEN_UP:
	case DB_LOST:
		PQclear(bad);
		break;
	}
	return E_UNAVAILABLE;
}

enum err
db_open(struct ctx *c)
{
	int64_t now = now_ms(), end = now + DB_CONNECT_MS, deadline = c->deadline_ms;
	enum err e;

	if (now >= deadline || !breaker_allows(BREAKER_POSTGRESQL))
		return db_unavailable(c);
	if (db.pg != NULL && (db.looked_ms == now || take_in()))	/* the check of a token has just looked */
		return E_OK;
	db_drop();
	if (end > deadline)
		end = deadline;
	db.pg = connect_until(c, end);
	if (db.pg == NULL) {
		breaker_failed(BREAKER_POSTGRESQL);
		return db_unavailable(c);
	}
	PQsetNoticeReceiver(db.pg, on_notice, NULL);
	db.gen_tokens++;
	db.gen_settings++;
	if (PQsetnonblocking(db.pg, 1) != 0 || !PQenterPipelineMode(db.pg))
		return db_lost(c, "", "pipeline mode", NULL);
	c->deadline_ms = end;
	e = session_start(c);
	c->deadline_ms = deadline;
	return e;
}

int64_t
db_ping_us(struct ctx *c)
{
	struct ctx mine = *c;	/* a database that is down is an answer here, no error of the request */
	int64_t now = now_ms(), t;
	PGresult *r;

	if (mine.deadline_ms > now + DB_PING_MS)
		mine.deadline_ms = now + DB_PING_MS;
	if (!db.in_tx && db_open(&mine) != E_OK)
		return -1;
	t = now_us();
	if (db_exec(&mine, &sql_db_ping, 0, NULL, &r) != E_OK)
		return -1;
	return now_us() - t;
}
