/*
 * Request memory.  An arena hands out zeroed or raw memory that lives until arena_reset(), and adopts foreign
 * resources (PGresult, json_object, CURL) through arena_defer(), released newest first.
 *
 * Bounded: an arena never holds more than its maximum.  Allocation never returns NULL: over the maximum it jumps to
 * arena.overflow when that is set (the request loop answers 413 or 500), otherwise it stops the process with status 70.
 * In sanitizer builds (SOUK_NO_FAILSTOP) blocks are really freed at reset, so that stale reads are seen.
 */
#ifndef SOUK_CORE_ARENA_H
#define SOUK_CORE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "core/banned.h"

struct arena_block;
struct arena_defer;

struct arena {
	struct arena_block *head;	/* newest block */
	struct arena_defer *defers;	/* newest first */
	size_t used;			/* bytes handed out since the last reset */
	size_t max;			/* upper limit of used */
	jmp_buf *overflow;		/* where to go when max is reached; NULL: stop the process */
};

/* Set up an empty arena that may hand out at most max bytes.  Allocates nothing yet. */
void arena_init(struct arena *a, size_t max);

/* n bytes, aligned to 16, not zeroed.  n == 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* n * size bytes set to zero; an overflowing product counts as over the maximum. */
void *arena_zalloc(struct arena *a, size_t n, size_t size) __attribute__((malloc, alloc_size(2, 3), returns_nonnull));

/* Grow the newest allocation in place where possible, else copy.  p may be NULL (then old is 0). */
void *arena_grow(struct arena *a, void *p, size_t old, size_t n) __attribute__((returns_nonnull));

/* NUL-terminated copies.  arena_strndup copies exactly n bytes and adds the NUL; s need not be terminated. */
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));

/* printf into the arena; the result is NUL-terminated and at most 64 KiB long (longer is cut). */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0), returns_nonnull));

/* Call release(p) at reset, newest first.  p may be NULL: nothing happens then. */
void arena_defer(struct arena *a, void (*release)(void *), void *p);

/* Run the deferred releases, then make all memory reusable.  Keeps at most one block for the next request. */
void arena_reset(struct arena *a);

/* arena_reset() and give all memory back. */
void arena_release(struct arena *a);

/* What an allocation over the maximum does: jump to a->overflow or stop. */
_Noreturn void arena_overflow(struct arena *a);

#endif
