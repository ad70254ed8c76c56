/* See buf.h. */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

/* Characters that a JSON string cannot hold as they are. */
static const char escapes[256] = {
	[0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u', [0x04] = 'u', [0x05] = 'u', [0x06] = 'u', [0x07] = 'u',
	['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', [0x0b] = 'u', ['\f'] = 'f', ['\r'] = 'r', [0x0e] = 'u', [0x0f] = 'u',
	[0x10] = 'u', [0x11] = 'u', [0x12] = 'u', [0x13] = 'u', [0x14] = 'u', [0x15] = 'u', [0x16] = 'u', [0x17] = 'u',
	[0x18] = 'u', [0x19] = 'u', [0x1a] = 'u', [0x1b] = 'u', [0x1c] = 'u', [0x1d] = 'u', [0x1e] = 'u', [0x1f] = 'u',
	['"'] = '"', ['\\'] = '\\',
};

void
buf_init(struct buf *b, struct arena *a, size_t hint, size_t max)
{
	*b = (struct buf){ .a = a, .max = max };
	b->cap = hint < max ? hint : max;	/* becomes real at the first append */
}

/* Room for n more bytes and the NUL. */
static void
reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap;

	if (n > b->max - b->n)
		arena_overflow(b->a);
	if (b->p != NULL && n < cap - b->n)
		return;
	if (cap < 64)
		cap = 64;
	if (b->p != NULL)
		cap = cap <= b->max / 2 ? cap * 2 : b->max + 1;
	if (cap - b->n <= n)
		cap = b->n + n + 1;
	b->p = arena_grow(b->a, b->p, b->p == NULL ? 0 : b->cap, cap);
	b->cap = cap;
	b->p[b->n] = '\0';
}

void
buf_put(struct buf *b, const char *s, size_t n)
{
	reserve(b, n);
	if (n > 0)
		memcpy(b->p + b->n, s, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	reserve(b, 1);
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	size_t room;
	int n;

	reserve(b, 1);
	room = b->cap - b->n;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->n, room, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= room) {
		b->p[b->n] = '\0';
		reserve(b, (size_t)n);
		va_start(ap, fmt);
		n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
		va_end(ap);
	}
	if (n > 0)
		b->n += (size_t)n;
	b->p[b->n] = '\0';
}

void
buf_int(struct buf *b, int64_t v)
{
	char digits[20];
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t i = sizeof digits;

	do {
		digits[--i] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0)
		digits[--i] = '-';
	buf_put(b, digits + i, sizeof digits - i);
}

static void
put_escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char out[6] = { '\\', escapes[c], '0', '0', hex[c >> 4], hex[c & 15] };

	buf_put(b, out, escapes[c] == 'u' ? 6 : 2);
}

void
buf_json_string(struct buf *b, const char *s, size_t n)
{
	size_t start = 0;

	reserve(b, n <= b->max - b->n ? n : 0);
	buf_putc(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		size_t step;

		if (c >= 0x80 && (step = utf8_step((const unsigned char *)s + i, n - i)) > 0) {
			i += step - 1;
			continue;
		}
		if (c < 0x80 && escapes[c] == 0)
			continue;
		buf_put(b, s + start, i - start);
		if (c < 0x80)
			put_escape(b, c);
		else
			buf_put(b, "\xEF\xBF\xBD", 3);	/* U+FFFD for what is no UTF-8, such as a text that was cut in a character */
		start = i + 1;
	}
	buf_put(b, s + start, n - start);
	buf_putc(b, '"');
}

void
buf_json_cstr(struct buf *b, const char *s)
{
	if (s == NULL)
		buf_put(b, "null", 4);
	else
		buf_json_string(b, s, strlen(s));
}

const char *
buf_str(const struct buf *b)
{
	return b->p == NULL ? "" : b->p;
}
