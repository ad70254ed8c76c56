/*
 * What the db*.c files share: the one connection of the process, and pipelines on it.  Nobody else includes this.
 *
 * The connection is always nonblocking and, outside COPY, always in pipeline mode.  A pipeline is a row of statements that
 * leave in one write and end with one Sync; db_pipe_run() takes in all their results, also after an error, so that the
 * connection is idle again when it returns, or gone.
 */
#ifndef SOUK_STORE_DB_INTERNAL_H
#define SOUK_STORE_DB_INTERNAL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/ctx.h"
#include "store/db.h"
#include "store/sql.h"

#define DB_PIPE_MAX 12		/* entries of one pipeline, preparations included */
#define DB_CONNECT_MS 2000	/* upper limit of connecting, whatever the request's deadline */
#define DB_SILENT_MS 500	/* a server that has said nothing for so long is asked whether it lives, and again after as long */
#define DB_ALIVE_MS 1500	/* for its answer to that */
#define DB_PING_MS 1000		/* of a ping with its connecting */
#define DB_ROLLBACK_MS 300	/* for a rollback whose request has no time left; then the connection is closed */

struct db_prepared;

struct db_state {
	PGconn *pg;		/* NULL: not open */
	int64_t used_ms;	/* end of the last call */
	int64_t looked_ms;	/* when it was last seen to live */
	int64_t ask_ms;		/* when to ask a silent server whether it lives; 0: never */
	bool owner;		/* db_use_owner() */
	bool in_tx;		/* between db_begin and db_commit or db_rollback */
	bool tx_sent;		/* the server knows of it: BEGIN leaves with the first statement */
	bool tx_lost;		/* the connection was lost inside it */
	enum db_mode tx_mode;
	struct db_subject tx_who;
	unsigned gen_tokens, gen_settings;
};

extern struct db_state db;

struct db_pipe {
	int n;
	int want;				/* entry whose result the caller wants */
	bool broken;				/* a statement could not be queued */
	bool may_give_up;			/* nothing of it is left undone halfway when its caller gives it up, see ctx.h */
	const struct sql *q[DB_PIPE_MAX];
	struct db_prepared *prep[DB_PIPE_MAX];	/* the entry prepares this one; NULL: it runs a statement */
};

/* How a pipeline ended. */
enum db_end {
	DB_DONE,	/* every statement succeeded */
	DB_REFUSED,	/* *bad is the first error; the connection is idle */
	DB_GIVEN_UP,	/* the caller has given it up: the server was told to cancel it, E_CANCELLED is noted, the connection dropped */
	DB_LOST		/* deadline or connection: dropped; *bad is the server's last word or NULL */
};

/* db_conn.c */
/* An open connection, reopened once when it has died since its last use.  E_UNAVAILABLE, noted in c, otherwise. */
enum err db_open(struct ctx *c);
void db_drop(void);
/*
 * Wait until the socket is readable (or writable while data waits to be sent) and take in what came; false: *why is DB_DEADLINE, DB_SILENT (the server does
 * not answer on a new connection either: it is stopped) or DB_LEFT, or as it was when the connection is lost.  by: whom to ask whether the request was given up; NULL: nobody.
 */
bool db_wait(const struct ctx *by, int64_t end_ms, const char **why);
/* Send all that waits, taking in what comes meanwhile; false: deadline or lost.  db_wait() would wait for an answer once all is sent. */
bool db_flush(int64_t end_ms, const char **why);
extern const char DB_DEADLINE[], DB_SILENT[], DB_LEFT[];
/* Collect what PQnotifies has. */
void db_note_notifications(void);
/* The connection failed under a statement: log, tell the breaker, drop it, note E_UNAVAILABLE. */
enum err db_lost(struct ctx *c, const char *statement, const char *why, const PGresult *last);
/* Have the server cancel what runs, without waiting for it, and drop the connection; notes E_CANCELLED. */
void db_give_up(struct ctx *c, const char *statement);
/* statement_timeout, lock_timeout and so on as parameters of sql_db_session; local: for this transaction only. */
void db_session_params(const char *v[5], bool local);
/* E_UNAVAILABLE with a hint when to come back. */
enum err db_unavailable(struct ctx *c);

/* db_silent.c */
/* Does the server of the open connection say a word, there or on a new one, until end_ms?  True also when it could not be asked. */
bool db_answers(int64_t end_ms);

/* db_changes.c */
/* A notification on channel souk_changes. */
void db_changes_note(const char *text);

/* db_pipe.c */
bool db_prepared_off(void);
void db_prepared_reset(void);
/* Queue q; its preparation goes first when the connection has none.  Returns its entry, which becomes p->want. */
int db_pipe_add(struct db_pipe *p, const struct sql *q, int n, const char *const *v);
/*
 * Send a Sync and take in everything.  *out gets the result of entry p->want when all went well, *bad the first error, *bad_at its entry; the
 * caller clears both.
 */
enum db_end db_pipe_run(struct ctx *c, struct db_pipe *p, PGresult **out, PGresult **bad, int *bad_at);
/* A preparation or plan that the server no longer has or wants: nothing ran, prepare again. */
bool db_is_stale(const PGresult *bad);

/* db.c */
/* Send the BEGIN that db_begin left waiting. */
enum err db_begin_now(struct ctx *c);

/* db_error.c */
/* Map an error result to an enum err, log what happened without values, note it in c.  The result is not cleared. */
enum err db_refused(struct ctx *c, const char *statement, const PGresult *r);
/* PQclear when the request ends. */
void db_defer_clear(struct ctx *c, PGresult *r);

#endif
