/*
 * A string builder in an arena.  p[n] is always '\0' once anything was added.  Growth beyond max (or the arena's own
 * maximum) is an arena overflow.  Nothing here returns an error: a buffer that could not grow never returns.
 */
#ifndef SOUK_CORE_BUF_H
#define SOUK_CORE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

struct buf {
	struct arena *a;
	char *p;	/* NULL until the first append */
	size_t n;	/* bytes used, without the NUL */
	size_t cap;
	size_t max;
};

/* An empty buffer of at most max bytes; hint bytes are reserved at the first append. */
void buf_init(struct buf *b, struct arena *a, size_t hint, size_t max);

void buf_put(struct buf *b, const char *s, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_int(struct buf *b, int64_t v);

/* A JSON string with its quotes.  Control characters, quote and backslash are escaped, '/' is not; a byte that is no part of valid
   UTF-8 (half a character of a text that was cut) becomes U+FFFD.  n bytes, which may contain NUL (written as \u0000). */
void buf_json_string(struct buf *b, const char *s, size_t n);
void buf_json_cstr(struct buf *b, const char *s);	/* NULL is written as null */

/* The buffer's text, "" when empty. */
const char *buf_str(const struct buf *b);

#endif
