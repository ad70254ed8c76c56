/*
 * What every fallible function below the web layer gets: memory, the request's one deadline, the correlation id for the
 * log, and the place where the first error is told.
 */
#ifndef SOUK_CORE_CTX_H
#define SOUK_CORE_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

struct ctx {
	struct arena *a;
	int64_t deadline_ms;	/* CLOCK_MONOTONIC, see now_ms() */
	char id[37];		/* correlation id, 8 to 36 visible ASCII characters */
	const char *base_url;	/* address under which souk was called, "https://shop.example", for links; NULL: PUBLIC_URL is all that is known */
	enum err err;		/* first error since ctx_clear_error(), E_OK when none */
	const char *message;	/* public text of that error, in the arena; NULL when none was given */
	int retry_after_s;	/* for E_RATE_LIMITED and E_UNAVAILABLE; 0 = unknown */
	/*
	 * Asked a few times a second while the database works: has the caller given the request up?  It must not ask the database itself.  NULL: the
	 * statement may run to its end, or to the deadline.
	 */
	bool (*given_up)(void *arg);
	void *given_up_arg;
};

/*
 * Note error e with a message that is safe to show to the caller (printf form; NULL takes the table's default), and
 * return e, so that callers write: return fail(c, E_INVALID, "limit: must be at most %d", max);
 * A second failure keeps the first message.  fail(c, E_OK, ...) is a bug and becomes E_INTERNAL.
 */
enum err fail(struct ctx *c, enum err e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

void ctx_clear_error(struct ctx *c);

/* The public message of the noted error; the table's default when none was given.  Never NULL. */
const char *ctx_message(const struct ctx *c);

/* Milliseconds left until the deadline, at least 0 and at most cap_ms. */
int ctx_left_ms(const struct ctx *c, int cap_ms);

#endif
