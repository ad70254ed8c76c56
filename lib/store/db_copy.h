/*
 * Bulk data.  Both directions leave the pipeline for the time of the COPY, run inside the open transaction (db_begin) or, without one, in
 * a transaction of their own (which can only read, so COPY ... FROM needs db_begin(DB_WRITE)), and are bounded per chunk:
 * DB_COPY_STALL_MS without progress, or c's deadline, drop the connection and give E_UNAVAILABLE.
 *
 *	struct db_copy cp;
 *	if ((e = db_begin(c, DB_WRITE, NULL)) || (e = db_copy_begin(c, &cp, &sql_import_products_copy)))
 *		return e;
 *	while (more) if ((e = db_copy_put(&cp, p, n))) return e;	(then db_rollback)
 *	if ((e = db_copy_end(&cp, &rows)) || (e = db_commit(c))) ...
 */
#ifndef SOUK_STORE_DB_COPY_H
#define SOUK_STORE_DB_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"
#include "store/sql.h"

#define DB_COPY_STALL_MS 30000

struct db_copy {
	struct ctx *c;
	const struct sql *q;
	char *buf;		/* small portions gather here, in c's arena */
	size_t n;
	size_t pending;		/* bytes handed to libpq since it last had none waiting */
};

/* Start a COPY ... FROM STDIN.  The statement takes no parameters. */
enum err db_copy_begin(struct ctx *c, struct db_copy *cp, const struct sql *q) __attribute__((warn_unused_result));
/* Hand over n bytes of COPY data in any portions; they are copied, and at most about 1 MiB waits on our side. */
enum err db_copy_put(struct db_copy *cp, const char *p, size_t n) __attribute__((warn_unused_result));
/* The end of the data; errors in rows show here at the latest.  *rows may be NULL. */
enum err db_copy_end(struct db_copy *cp, int64_t *rows) __attribute__((warn_unused_result));
/* Give up instead: the server discards the COPY, the transaction has failed. */
void db_copy_cancel(struct db_copy *cp);

/*
 * Run a COPY ... TO STDOUT and give each portion (one line of text or CSV format) to put.  When put returns something else
 * than E_OK the connection is dropped, since the rest can not be stopped otherwise, and that error is returned.
 */
enum err db_copy_out(struct ctx *c, const struct sql *q, enum err (*put)(void *arg, const char *p, size_t n), void *arg,
	int64_t *rows) __attribute__((warn_unused_result));

#endif
