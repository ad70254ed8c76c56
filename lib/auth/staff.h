/*
 * People of the shop: accounts with a password and, if wanted, a second factor.  What they may do is their role's scopes (table souk.roles).  Log-in tries count
 * per account and per caller's address (RATE_LOGIN), known or not; the answer and its time are the same for an unknown account and a wrong
 * password, and a disabled account is an unknown one.
 */
#ifndef SOUK_AUTH_STAFF_H
#define SOUK_AUTH_STAFF_H

#include <stdbool.h>

#include "core/ctx.h"

#define STAFF_RECOVERY_CODES 10
#define STAFF_RECOVERY_LEN 16	/* characters of a recovery code, in groups of four with hyphens: 19 */

/*
 * First step.  *id is the account's; *second: a code is still needed (staff_second).  E_UNAUTHENTICATED with one message for all reasons, E_RATE_LIMITED.
 */
enum err staff_login(struct ctx *c, const char *email, const char *password, const char *remote_ip, const char **id, bool *second)
	__attribute__((warn_unused_result));
/* Second step: a TOTP code, each step once, or a recovery code, each once. */
enum err staff_second(struct ctx *c, const char *id, const char *code, const char *remote_ip) __attribute__((warn_unused_result));

/* The rest is work of the command line, as the database's owner; each with a row in souk.audit.  E_NOT_FOUND: no such account. */
enum err staff_add(struct ctx *c, const char *email, const char *name, const char *role, const char *password) __attribute__((warn_unused_result));
enum err staff_list(struct ctx *c, const char **json, size_t *n) __attribute__((warn_unused_result));
enum err staff_passwd(struct ctx *c, const char *email, const char *password) __attribute__((warn_unused_result));
/* A new second factor: *uri for an authenticator app, *codes the recovery codes, one per line.  Both are shown this once. */
enum err staff_totp_on(struct ctx *c, const char *email, const char **uri, const char **codes) __attribute__((warn_unused_result));
enum err staff_totp_off(struct ctx *c, const char *email) __attribute__((warn_unused_result));
enum err staff_disable(struct ctx *c, const char *email, bool disabled) __attribute__((warn_unused_result));

/* Hash of a recovery code as it is typed: hyphens, blanks and case do not count.  false: it is none. */
bool staff_recovery_hash(const char *id, const char *code, char hex[65]);

#endif
