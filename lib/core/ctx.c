/* See ctx.h. */
#include "core/ctx.h"
#include "core/clock.h"

#include <stdarg.h>

enum err
fail(struct ctx *c, enum err e, const char *fmt, ...)
{
	va_list ap;

	if (e == E_OK || (unsigned)e >= E__MAX)
		e = E_INTERNAL;
	if (c->err != E_OK)
		return e;
	c->err = e;
	c->message = NULL;
	if (fmt != NULL) {
		va_start(ap, fmt);
		c->message = arena_vprintf(c->a, fmt, ap);
		va_end(ap);
	}
	return e;
}

void
ctx_clear_error(struct ctx *c)
{
	c->err = E_OK;
	c->message = NULL;
	c->retry_after_s = 0;
}

const char *
ctx_message(const struct ctx *c)
{
	return c->message != NULL ? c->message : err_info(c->err)->message;
}

int
ctx_left_ms(const struct ctx *c, int cap_ms)
{
	int64_t left = c->deadline_ms - now_ms();

	if (left <= 0 || cap_ms <= 0)
		return 0;
	return left < cap_ms ? (int)left : cap_ms;
}
