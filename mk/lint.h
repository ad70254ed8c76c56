/* For the analyzers of `make lint` alone. */
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
#endif
