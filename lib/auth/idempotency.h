/*
 * Idempotency-Key (1..255 visible ASCII characters) on write routes and write tools: one key, one effect, one answer, per principal and for
 * IDEMPOTENCY_KEEP_H hours.  The row and the effect commit in one transaction, so a visible row is always complete; a concurrent
 * twin waits for the first (lock_timeout: E_CONFLICT) and then gets its answer.
 *
 * Many people may call from one address without having shown who they are, and an answer may hold a handle, which is as good as a log-in.  Their keys have to
 * be such as nobody else thinks of, a UUID for example: below KEY_ANONYMOUS_MIN characters they are refused.
 */
#ifndef SOUK_AUTH_IDEMPOTENCY_H
#define SOUK_AUTH_IDEMPOTENCY_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/token.h"
#include "core/ctx.h"

#define KEY_ANONYMOUS_MIN 8

struct idem_reply {
	bool replayed;		/* the stored answer is in status, body, n */
	int status;		/* as given to idem_store: an enum err value */
	const char *body;
	size_t n;
};

/* Check the form: E_INVALID naming Idempotency-Key. */
enum err idem_check(struct ctx *c, const char *key) __attribute__((warn_unused_result));
/*
 * Inside db_begin(DB_WRITE): claim the key for this request (what is hashed: tool or route name, basket and order that came
 * by handles, request text).
 * E_INVALID naming Idempotency-Key when it can be guessed and nobody has shown who they are; E_KEY_REUSED when the key was used with another request, E_CONFLICT when a twin still runs.
 */
enum err idem_claim(struct ctx *c, const struct subject *s, const char *key, const char *name, const char *request, size_t n,
	struct idem_reply *out) __attribute__((warn_unused_result));
/* In the same transaction, before db_commit: keep the answer. */
enum err idem_store(struct ctx *c, const struct subject *s, const char *key, int status, const char *body, size_t n)
	__attribute__((warn_unused_result));

#endif
