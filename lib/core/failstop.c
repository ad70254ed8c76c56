/* See failstop.h.  The wrappers below are reached by every library of the program, so they use nothing that allocates. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/failstop.h"

static struct iovec
part(const char *s)
{
	return (struct iovec){ (void *)(uintptr_t)s, strlen(s) };
}

void
failstop(const char *why)
{
	const struct iovec line[] = { part("{\"level\":\"error\",\"message\":\"process stopped: "), part(why), part("\"}\n") };

	/* In one piece, as other processes write to the same log; whether it arrives changes nothing. */
	ssize_t done = writev(STDERR_FILENO, line, 3);

	(void)done;
	_exit(FAILSTOP_STATUS);
}

#ifndef SOUK_NO_FAILSTOP

extern void *__libc_malloc(size_t n);	/* NOLINT: names are glibc's */
extern void *__libc_calloc(size_t n, size_t size);	/* NOLINT */
extern void *__libc_realloc(void *p, size_t n);	/* NOLINT */
extern void *__libc_memalign(size_t align, size_t n);	/* NOLINT */

/* The prototypes of <stdlib.h> and <malloc.h> carry attributes that differ between versions. */
void *memalign(size_t align, size_t n);

static inline void *
held(void *p, size_t n)
{
	if (__builtin_expect(p == NULL && n != 0, 0))
		failstop("out of memory");
	return p;
}

void *
malloc(size_t n)
{
	return held(__libc_malloc(n), n);
}

void *
calloc(size_t n, size_t size)
{
	return held(__libc_calloc(n, size), n != 0 && size != 0);
}

void *
realloc(void *p, size_t n)
{
	return held(__libc_realloc(p, n), n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		failstop("out of memory");
	return held(__libc_realloc(p, total), total);
}

void *
memalign(size_t align, size_t n)
{
	return held(__libc_memalign(align, n), n);
}

void *
aligned_alloc(size_t align, size_t n)
{
	return held(__libc_memalign(align, n), n);
}

int
posix_memalign(void **p, size_t align, size_t n)
{
	if (align % sizeof(void *) != 0 || (align & (align - 1)) != 0 || align == 0)
		return EINVAL;
	*p = held(__libc_memalign(align, n), n);
	return 0;
}

#endif
