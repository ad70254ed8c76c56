/* For the analyzers of `make lint` alone. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cppcheck__
#define json_object_object_foreach(o, k, v) json_object *v = 0; for (const char *k = 0; k; k++)
#else
/* lib/core/failstop.c ends the process instead of returning NULL from these. */
static inline void *
lint_some(void *p)
{
	if (!p)
		__builtin_unreachable();
	return p;
}
#define malloc(n) lint_some((malloc)(n))
#define calloc(n, sz) lint_some((calloc)(n, sz))
#define realloc(p, n) lint_some((realloc)(p, n))
#define reallocarray(p, n, sz) lint_some((reallocarray)(p, n, sz))

/* fail() notes an error and returns it: neither is ever E_OK.  mcp_fail() returns false.  Not where they are defined. */
#ifndef LINT_NO_FAIL
#include "core/ctx.h"
#include "mcp/methods.h"
static inline enum err
lint_failed(const struct ctx *c, enum err e)
{
	if (e == E_OK || c->err == E_OK)
		__builtin_unreachable();
	return e;
}
#define fail(c, ...) lint_failed(c, (fail)(c, __VA_ARGS__))
#define mcp_fail(call, ...) ((void)(mcp_fail)(call, __VA_ARGS__), false)
#endif
#endif
