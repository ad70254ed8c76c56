/* The best products by score: MaxScore over lists in the order of products, with block maxima.  See engine.h. */
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "search/engine.h"

struct cursor {
	struct seg_list l;
	uint32_t at;
	uint32_t weight;
	uint64_t max;		/* weight times largest impact */
};

/* ---- heap ---- */

static void
sift_down(struct engine_hit *h, size_t n, size_t i)
{
	for (;;) {
		size_t worst = i, a = 2 * i + 1;
		struct engine_hit t;

		if (a < n && engine_better(&h[worst], &h[a]))
			worst = a;
		if (a + 1 < n && engine_better(&h[worst], &h[a + 1]))
			worst = a + 1;
		if (worst == i)
			return;
		t = h[i];
		h[i] = h[worst];
		h[worst] = t;
		i = worst;
	}
}

bool
engine_heap_put(struct engine_hit *heap, size_t *n, size_t k, const struct engine_hit *h)
{
	if (*n < k) {
		size_t i = (*n)++;

		for (; i > 0 && engine_better(&heap[(i - 1) / 2], h); i = (i - 1) / 2)
			heap[i] = heap[(i - 1) / 2];
		heap[i] = *h;
		return true;
	}
	if (k == 0 || !engine_better(h, &heap[0]))
		return false;
	heap[0] = *h;
	sift_down(heap, *n, 0);
	return true;
}

static int
compare_hits(const void *a, const void *b)
{
	const struct engine_hit *x = a, *y = b;

	return engine_better(x, y) ? -1 : engine_better(y, x);
}

void
engine_heap_sort(struct engine_hit *heap, size_t n)
{
	if (n > 1)
		qsort(heap, n, sizeof(*heap), compare_hits);
}

/* ---- lists ---- */

static int
by_max(const void *a, const void *b)
{
	const struct cursor *x = a, *y = b;

	return (x->max > y->max) - (x->max < y->max);
}

static unsigned
open_lists(const struct engine_view *v, unsigned part, const struct engine_words *w, struct cursor *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->terms; i++) {
		struct cursor *c = &out[n];

		if (w->term[i].id[part] == SEG_NONE)
			continue;
		*c = (struct cursor){ .l = seg_list(v->part[part].seg, w->term[i].id[part]), .weight = w->term[i].weight };
		c->max = (uint64_t)c->weight * c->l.max;
		n += c->l.df > 0 && c->weight > 0;
	}
	qsort(out, n, sizeof(*out), by_max);
	return n;
}

/* Move to the first posting that is not before doc, in steps that double, then halve. */
static void
seek(struct cursor *c, uint32_t doc)
{
	uint32_t lo = c->at, step = 1, hi;

	if (lo >= c->l.df || seg_doc(&c->l, lo) >= doc)
		return;
	while (lo + step < c->l.df && seg_doc(&c->l, lo + step) < doc) {
		lo += step;
		step *= 2;
	}
	hi = lo + step < c->l.df ? lo + step : c->l.df;
	while (lo + 1 < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seg_doc(&c->l, mid) < doc)
			lo = mid;
		else
			hi = mid;
	}
	c->at = hi;
}

struct search {
	const struct engine_sieve *sieve;
	struct engine_top *top;
	struct cursor c[ENGINE_TERMS_MAX];
	uint64_t sum[ENGINE_TERMS_MAX + 1];	/* of the maxima of the first lists */
	unsigned n, first;	/* lists from first on have to be looked at for every product */
};

static bool
is_after(const struct engine_after *a, const struct engine_hit *h)
{
	return !a->set || !a->raw || h->key > a->key || (h->key == a->key && h->id > a->id);
}

/* Can this upper bound still get into the heap? */
static bool
may_enter(const struct engine_top *t, uint64_t bound)
{
	uint64_t least;

	if (t->n < t->k || t->q->exhaustive)
		return true;
	least = (uint64_t)-t->heap[0].key;
	return t->ties ? bound >= least : bound > least;
}

static bool
is_wanted(const struct engine_sieve *s, uint32_t doc)
{
	return doc < s->part->seg->docs && (s->set != NULL ? s->set[doc / 64] >> doc % 64 & 1 : engine_passes(s, doc));
}

bool
engine_offer(struct engine_top *t, const struct engine_sieve *s, uint32_t doc, uint64_t score)
{
	struct engine_hit h = { .id = s->part->seg->id[doc], .part = t->part, .doc = doc, .raw = true };

	if (!may_enter(t, score))
		return false;
	h.place = engine_place_of(t->q, t->part, doc);
	h.key = -(int64_t)(h.place == ENGINE_BEHIND ? score >> ENGINE_BEHIND_SHIFT : score);
	return is_after(&t->q->after, &h) && engine_heap_put(t->heap, &t->n, t->k, &h);
}

static void
offer(struct search *s, uint32_t doc, uint64_t score)
{
	if (!may_enter(s->top, score) || !is_wanted(s->sieve, doc) || !engine_offer(s->top, s->sieve, doc, score))
		return;
	while (s->first < s->n && !may_enter(s->top, s->sum[s->first + 1]))
		s->first++;
}

/* Add what the lists that need not be looked at give, as long as that can help. */
static void
complete(struct search *s, uint32_t doc, uint64_t score)
{
	for (unsigned i = s->first; i-- > 0;) {
		struct cursor *c = &s->c[i];

		if (!may_enter(s->top, score + s->sum[i + 1]))
			return;
		seek(c, doc);
		if (c->at >= c->l.df || seg_doc(&c->l, c->at) != doc)
			continue;
		if (!may_enter(s->top, score + s->sum[i] + (uint64_t)c->weight * c->l.block_max[c->at / SEG_BLOCK]))
			return;
		score += (uint64_t)c->weight * c->l.impact[c->at];
	}
	offer(s, doc, score);
}

/* One list is left: whole blocks whose maximum is too small are skipped. */
static void
run_single(struct search *s)
{
	struct cursor *c = &s->c[s->n - 1];
	uint64_t rest = s->sum[s->n - 1];

	while (c->at < c->l.df && s->first < s->n) {
		uint32_t end = (c->at / SEG_BLOCK + 1) * SEG_BLOCK;

		if (end > c->l.df)
			end = c->l.df;
		if (may_enter(s->top, rest + (uint64_t)c->weight * c->l.block_max[c->at / SEG_BLOCK]))
			for (; c->at < end && s->first < s->n; c->at++) {
				uint64_t score = (uint64_t)c->weight * c->l.impact[c->at];

				if (may_enter(s->top, rest + score))
					complete(s, seg_doc(&c->l, c->at), score);
			}
		c->at = end;
	}
}

static void
run(struct search *s)
{
	while (s->first + 1 < s->n) {
		uint32_t doc = SEG_NONE;
		uint64_t score = 0;

		for (unsigned i = s->first; i < s->n; i++)
			if (s->c[i].at < s->c[i].l.df && seg_doc(&s->c[i].l, s->c[i].at) < doc)
				doc = seg_doc(&s->c[i].l, s->c[i].at);
		if (doc == SEG_NONE)
			return;
		for (unsigned i = s->first; i < s->n; i++) {
			struct cursor *c = &s->c[i];

			if (c->at < c->l.df && seg_doc(&c->l, c->at) == doc)
				score += (uint64_t)c->weight * c->l.impact[c->at++];
		}
		if (s->sieve->set == NULL || is_wanted(s->sieve, doc))
			complete(s, doc, score);
	}
	if (s->first < s->n)
		run_single(s);
}

void
engine_top_of(struct ctx *c, const struct engine_view *v, unsigned part, const struct engine_sieve *sieve, const struct engine_words *w,
	struct engine_top *top)
{
	struct search *s = arena_alloc(c->a, sizeof(*s));

	if (sieve->none || top->k == 0)
		return;
	s->sieve = sieve;
	s->top = top;
	s->n = open_lists(v, part, w, s->c);
	s->sum[0] = 0;
	for (unsigned i = 0; i < s->n; i++)
		s->sum[i + 1] = s->sum[i] + s->c[i].max;
	s->first = 0;
	while (s->first < s->n && !may_enter(top, s->sum[s->first + 1]))
		s->first++;
	run(s);
}
