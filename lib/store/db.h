/*
 * PostgreSQL.  One connection per process, opened on first use, nonblocking, every call bounded by the request's deadline on our
 * side (a stopped server cannot run its own timer).  A call that ran into its deadline or lost the connection drops the
 * connection and gives E_UNAVAILABLE: the outcome is then unknown, so only idempotent work may be repeated.
 * Statements are prepared on first use under their own name (configuration DB_PREPARED=off for poolers).
 * A circuit breaker ("postgresql") answers at once while the database is known to be down.
 */
#ifndef SOUK_STORE_DB_H
#define SOUK_STORE_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"
#include "store/sql.h"

/* Who speaks, for row-level security; set transaction-locally before the statement. */
struct db_subject {
	const char *kind;		/* anonymous visitor customer guest staff service system */
	const char *customer_id;	/* decimal or "" */
	const char *token_id;		/* or "" */
	const char *locale;		/* fr en es de */
	const char *visitor;		/* of a signed basket handle, or "" */
	const char *order_id;		/* decimal: the order that a guest has proven, or "" */
};

enum db_mode { DB_READ, DB_WRITE };

/*
 * Run one statement of text parameters (NULL = SQL NULL) outside a transaction block.  *out belongs to c's arena; it is a PGRES_TUPLES_OK or
 * PGRES_COMMAND_OK result.  Errors by the SQLSTATE table.
 */
enum err db_exec(struct ctx *c, const struct sql *q, int n, const char *const *v, PGresult **out)
	__attribute__((warn_unused_result));

/* db_exec in a read-write transaction of its own (one round trip), or in the open one.  Nobody speaks: for souk's own tables. */
enum err db_write(struct ctx *c, const struct sql *q, int n, const char *const *v, PGresult **out)
	__attribute__((warn_unused_result));

/* db_exec, then the first column of the first row as text in the arena (of the result); NULL when no row or SQL NULL. */
enum err db_text(struct ctx *c, const struct sql *q, int n, const char *const *v, const char **out, size_t *outsz)
	__attribute__((warn_unused_result));

/*
 * One tool statement in one transaction and, in DB_READ mode, one round trip (pipeline): set the subject, run q, commit.
 * DB_READ relies on default_transaction_read_only; DB_WRITE wraps BEGIN READ WRITE ... COMMIT around it.
 * Inside db_begin()/db_commit() the open transaction is used, and who, unless NULL, speaks for the rest of it.
 * who NULL outside a transaction: souk itself (system).
 */
enum err db_call(struct ctx *c, enum db_mode mode, const struct db_subject *who, const struct sql *q, int n,
	const char *const *v, const char **out, size_t *outsz) __attribute__((warn_unused_result));

/* db_call for a statement whose rows are wanted: *out as that of db_exec. */
enum err db_rows(struct ctx *c, enum db_mode mode, const struct db_subject *who, const struct sql *q, int n, const char *const *v, PGresult **out)
	__attribute__((warn_unused_result));

/*
 * An explicit transaction for several statements.  who may be NULL (system); its strings have to outlive the transaction.
 * BEGIN travels with the first statement.  After an error inside, only db_rollback() is left: db_commit() of a failed transaction rolls back and
 * gives E_INTERNAL.  db_rollback never fails and may be called at any time; the request loop calls it after each request.
 */
enum err db_begin(struct ctx *c, enum db_mode mode, const struct db_subject *who) __attribute__((warn_unused_result));
enum err db_commit(struct ctx *c) __attribute__((warn_unused_result));
void db_rollback(struct ctx *c);

/* False inside a DB_READ transaction: a write would abort it. */
bool db_may_write(void);

/* Work as the owner of the database, without the web role and without the server's time limits: the command line, before the first call. */
void db_use_owner(void);

/* Take in notifications that have arrived (0.4 us, no system call when nothing is there); bumps the local generation of changed things. */
void db_poll_notifications(void);

/* Counts of 'tokens' and 'settings' changes seen by this process through LISTEN; also increments whenever the connection was (re)opened. */
unsigned db_generation_tokens(void);
unsigned db_generation_settings(void);

/*
 * Changes of the shop's data, as triggers and programs tell them: "tools", "prompts", "resources", or the URI of a resource, where a * at the end stands
 * for anything.  A process that wants them begins, waits and ends; behind a pooler that hands connections around nothing arrives.
 */
enum err db_changes_begin(struct ctx *c) __attribute__((warn_unused_result));
/* Wait at most ms for the next; *out is "" when none came.  *missed: some were lost (the connection broke), so anything may have changed. */
enum err db_changes_wait(struct ctx *c, int ms, char *out, size_t outsz, bool *missed) __attribute__((warn_unused_result));
void db_changes_end(struct ctx *c);
/* Tell all processes. */
enum err db_changes_tell(struct ctx *c, const char *what) __attribute__((warn_unused_result));

/* Close the connection if it was idle for a minute (idle_ms), or at once with 0. */
void db_close_idle(int64_t idle_ms);

/* After fork(): forget the parent's connection without closing it. */
void db_forget(void);

/* Is there an open connection? Its round trip in microseconds (SELECT 1) or -1. */
int64_t db_ping_us(struct ctx *c);

#endif
