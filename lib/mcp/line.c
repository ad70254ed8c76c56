#include "mcp/line.h"

#include <stdlib.h>
#include <string.h>

#include "core/banned.h"

#define STEP 16384

void
line_init(struct line_reader *r, size_t max)
{
	*r = (struct line_reader){ .max = max };
}

void
line_release(struct line_reader *r)
{
	free(r->p);
	*r = (struct line_reader){ .max = r->max };
}

static void
found(struct line_reader *r, line_fn *fn, void *arg)
{
	size_t n = r->n;

	r->n = 0;
	if (r->skipping) {
		r->skipping = false;
		fn(arg, NULL, 0);
		return;
	}
	while (n > 0 && strchr("\r \t", r->p[n - 1]) != NULL)
		n--;
	if (n == 0)
		return;
	r->p[n] = '\0';
	fn(arg, r->p, n);
	if (r->cap > 16 * STEP) {
		/* a long line is rare; its memory is not kept */
		free(r->p);
		r->p = NULL;
		r->cap = 0;
	}
}

static void
add(struct line_reader *r, const char *p, size_t n)
{
	if (r->skipping)
		return;
	if (r->n + n > r->max) {
		r->skipping = true;
		r->n = 0;
		return;
	}
	if (r->cap < r->n + n + 1) {
		r->cap = (r->n + n + 1) * 2 > STEP ? (r->n + n + 1) * 2 : STEP;
		r->p = realloc(r->p, r->cap);
	}
	memcpy(r->p + r->n, p, n);
	r->n += n;
}

void
line_feed(struct line_reader *r, const char *p, size_t n, line_fn *fn, void *arg)
{
	while (n > 0) {
		const char *lf = memchr(p, '\n', n);
		size_t k = lf != NULL ? (size_t)(lf - p) : n;

		add(r, p, k);
		if (lf == NULL)
			return;
		found(r, fn, arg);
		p += k + 1;
		n -= k + 1;
	}
}

void
line_end(struct line_reader *r, line_fn *fn, void *arg)
{
	if (r->n > 0 || r->skipping)
		found(r, fn, arg);
}
