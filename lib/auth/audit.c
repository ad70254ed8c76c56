/* Changes with their row in the audit; see audit.h. */
#include "auth/audit.h"

#include "core/banned.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/shm.h"

enum err
audit_change(struct ctx *c, const struct sql *q, int n, const char *const *v, const char *what, const char *action, const char *details)
{
	const char *audit[4] = { "command line", action, NULL, details }, *id;
	PGresult *r;
	size_t idsz;
	enum err e = db_begin(c, DB_WRITE, NULL);

	if (e == E_OK)
		e = db_text(c, q, n, v, &id, &idsz);
	if (e == E_OK && id == NULL)
		e = fail(c, E_NOT_FOUND, "no such %s", what);
	if (e == E_OK) {
		audit[2] = id;
		e = db_exec(c, &sql_audit_insert, 4, audit, &r);
	}
	if (e == E_OK)
		e = db_commit(c);
	if (e == E_OK)
		shm_bump(SHM_TOKENS);
	else
		db_rollback(c);
	return e;
}
