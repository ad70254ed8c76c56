/* What the command line changes of tokens, clients and accounts, with its row in the audit (souk.audit). */
#ifndef SOUK_AUTH_AUDIT_H
#define SOUK_AUTH_AUDIT_H

#include "core/ctx.h"
#include "store/sql.h"

/*
 * Run a statement of n text parameters that returns the id of what it changed, and note it in the audit as action with details (a JSON object),
 * both or neither; all processes then forget the tokens that they remember.  E_NOT_FOUND "no such WHAT" when it returns no row; else the errors of db.h.
 */
enum err audit_change(struct ctx *c, const struct sql *q, int n, const char *const *v, const char *what, const char *action, const char *details)
	__attribute__((warn_unused_result));

#endif
