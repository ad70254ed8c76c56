/*
 * Blocks are singly linked, newest first, and hold allocations one behind the other.  The first block suits an ordinary
 * request; later ones double, so a request of any size needs few.  One block of ordinary size outlives the reset.
 */
#include "core/arena.h"
#include "core/failstop.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define BLOCK_MIN (32u * 1024)
#define BLOCK_MAX (1024u * 1024)
#define BLOCK_KEEP (128u * 1024)
#define PRINTF_MAX (64u * 1024)

struct arena_block {
	struct arena_block *next;	/* older */
	size_t cap, n;			/* bytes of data, and bytes used */
	_Alignas(ALIGN) unsigned char data[];
};

struct arena_defer {
	struct arena_defer *next;	/* older */
	void (*release)(void *);
	void *p;
};

static size_t
aligned(size_t n)
{
	return (n + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

void
arena_overflow(struct arena *a)
{
	if (a->overflow != NULL)
		longjmp(*a->overflow, 1);
	failstop("arena over its maximum");
}

/* How large the next block is, at least n bytes. */
static size_t
block_size(const struct arena *a, size_t n)
{
#ifdef SOUK_NO_FAILSTOP
	/* One block per allocation: AddressSanitizer then sees every overrun. */
	(void)a;
	return n;
#else
	size_t size = a->head == NULL ? BLOCK_MIN : a->head->cap * 2;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	return size < n ? n : size;
#endif
}

static void
block_push(struct arena *a, size_t n)
{
	size_t size = block_size(a, n);
	struct arena_block *b = malloc(sizeof *b + size);

	if (b == NULL)
		failstop("out of memory");
	b->next = a->head;
	b->cap = size;
	b->n = 0;
	a->head = b;
}

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max < PTRDIFF_MAX / 2 ? max : PTRDIFF_MAX / 2 };
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;
	size_t at;

	if (n == 0)
		n = 1;
	if (n > a->max || aligned(n) > a->max - a->used)
		arena_overflow(a);
	at = b == NULL ? 0 : aligned(b->n);
	if (b == NULL || at > b->cap || n > b->cap - at) {
		block_push(a, n);
		b = a->head;
		at = 0;
	}
	b->n = at + n;
	a->used += aligned(n);
	return b->data + at;
}

void *
arena_zalloc(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		arena_overflow(a);
	return memset(arena_alloc(a, total), 0, total);
}

/* The newest allocation, p of old bytes, gets n bytes where it stands, or its block moves if it is alone there. */
static void *
grow_newest(struct arena *a, unsigned char *p, size_t old, size_t n)
{
	struct arena_block *b = a->head;
	size_t at = (size_t)(p - b->data);

	if (aligned(n) > aligned(old) && aligned(n) - aligned(old) > a->max - a->used)
		arena_overflow(a);
	if (n > b->cap - at) {
		if (at != 0)
			return NULL;
		b = realloc(b, sizeof *b + n);
		if (b == NULL)
			failstop("out of memory");
		b->cap = n;
		a->head = b;
	}
	b->n = at + n;
	a->used = a->used - aligned(old) + aligned(n);
	return b->data + at;
}

void *
arena_grow(struct arena *a, void *p, size_t old, size_t n)
{
	struct arena_block *b = a->head;
	void *q = NULL;

	if (p == NULL)
		return arena_alloc(a, n);
	if (n <= old)
		return p;
	if (n > a->max)
		arena_overflow(a);
	if (old == 0)
		old = 1;
	if ((unsigned char *)p + old == b->data + b->n)
		q = grow_newest(a, p, old, n);
	if (q == NULL)
		q = memcpy(arena_alloc(a, n), p, old);
	return q;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p;

	if (n >= a->max)
		arena_overflow(a);
	p = arena_alloc(a, n + 1);
	if (n > 0)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

/* Length of s without an incomplete UTF-8 sequence at its end. */
static size_t
whole_characters(const char *s, size_t n)
{
	size_t i = n;

	while (i > 0 && n - i < 3 && ((unsigned char)s[i - 1] & 0xC0) == 0x80)
		i--;
	if (i == 0 || (unsigned char)s[i - 1] < 0xC0)
		return n;
	/* s[i - 1] leads a sequence of as many bytes as it has leading ones. */
	int need = __builtin_clz(~((unsigned)(unsigned char)s[i - 1] << 24));

	return n - (i - 1) < (size_t)need ? i - 1 : n;
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	size_t n;
	char *p;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		len = 0;
	n = (size_t)len < PRINTF_MAX ? (size_t)len : PRINTF_MAX - 1;
	p = arena_alloc(a, n + 1);
	p[0] = '\0';
	(void)vsnprintf(p, n + 1, fmt, ap);
	if ((size_t)len > n)
		p[whole_characters(p, n)] = '\0';
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_defer(struct arena *a, void (*release)(void *), void *p)
{
	struct arena_defer *d;

	if (p == NULL)
		return;
	/* What cannot be remembered would leak when the allocation below jumps away. */
	if (aligned(sizeof *d) > a->max - a->used) {
		release(p);
		arena_overflow(a);
	}
	d = arena_alloc(a, sizeof *d);
	*d = (struct arena_defer){ a->defers, release, p };
	a->defers = d;
}

static void
run_defers(struct arena *a)
{
	while (a->defers != NULL) {
		struct arena_defer *d = a->defers;

		a->defers = d->next;
		d->release(d->p);
	}
}

static size_t
keep_limit(void)
{
#ifdef SOUK_NO_FAILSTOP
	return 0;
#else
	return BLOCK_KEEP;
#endif
}

/* Free all blocks but the largest of at most keep bytes. */
static void
free_blocks(struct arena *a, size_t keep)
{
	struct arena_block *kept = NULL, *next;

	for (struct arena_block *b = a->head; b != NULL; b = next) {
		struct arena_block *spare = b;

		next = b->next;
		if (b->cap <= keep && (kept == NULL || b->cap > kept->cap)) {
			spare = kept;
			kept = b;
		}
		free(spare);
	}
	if (kept != NULL) {
		kept->next = NULL;
		kept->n = 0;
	}
	a->head = kept;
	a->used = 0;
}

void
arena_reset(struct arena *a)
{
	run_defers(a);
	free_blocks(a, keep_limit());
}

void
arena_release(struct arena *a)
{
	run_defers(a);
	free_blocks(a, 0);
}
