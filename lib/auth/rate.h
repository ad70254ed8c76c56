/*
 * Rate limits.  A class (status, test, data, chat, ai, mcp, health; login, guest, auth for guessing, see throttle.h) has a limit and a window from the configuration RATE_<CLASS>; hits count per
 * principal (token, or IP without one) and class.  Counters live in shared memory, or with RATE_STORE=kv in Redis or PostgreSQL.
 * A token of class "bulk" is not limited.  If the shared store is down, the host's own counters serve (reads must go on).
 */
#ifndef SOUK_AUTH_RATE_H
#define SOUK_AUTH_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/token.h"
#include "core/ctx.h"

struct rate_state {
	int64_t limit;		/* -1: unlimited */
	int64_t remaining;
	int64_t reset_s;	/* seconds until the window ends */
};

/* Is there a class of that name? (start-up check of the tables) */
bool rate_class_known(const char *name);
/* Name of the i-th class; NULL behind the last. */
const char *rate_class_name(size_t i);

/* Count a request; E_RATE_LIMITED (with c->retry_after_s) over the limit.  *out is always filled. */
enum err rate_hit(struct ctx *c, const struct subject *s, const char *rate_class, struct rate_state *out) __attribute__((warn_unused_result));
/* Only look, for the headers of answers that do not count. */
void rate_peek(struct ctx *c, const struct subject *s, const char *rate_class, struct rate_state *out);

#endif
