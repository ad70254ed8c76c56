/*
 * Counting and scoring in one go, for queries whose lists hold much of the catalogue: exact totals need every posting anyway, so scores are summed
 * term after term into a window of products that fits the processor's cache, and a window is then looked through 64 products at a time.  Postings
 * are read once and in order; nothing is sought.  See engine.h.
 */
#include <string.h>

#include "core/banned.h"
#include "search/engine.h"

#define WINDOW 32768u		/* products, a multiple of 64: 128 KB of scores */
#define WORTH 8			/* postings of the query per product of the catalogue: 1 / WORTH and more are swept */

struct sweep {
	const struct engine_part *part;
	const struct engine_sieve *sieve;
	struct engine_top *top;
	unsigned n;		/* lists */
	struct {
		struct seg_list l;
		uint32_t at, weight;
	} list[ENGINE_TERMS_MAX];
	uint32_t *score;	/* of the window */
};

bool
engine_sweep_pays(const struct seg *s, unsigned part, const struct engine_words *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->terms; i++)
		if (w->term[i].id[part] != SEG_NONE)
			sum += seg_list(s, w->term[i].id[part]).df;
	return sum * WORTH > s->docs;
}

/* Add what a list gives to products from first on, n of them. */
static void
add_list(struct sweep *s, unsigned i, uint32_t first, uint32_t n)
{
	const struct seg_list *l = &s->list[i].l;
	uint32_t at = s->list[i].at, weight = s->list[i].weight, *score = s->score;

	while (at < l->df) {
		uint32_t end = at - at % SEG_BLOCK + SEG_BLOCK, base = l->base[at / SEG_BLOCK] - first, doc;

		if (end > l->df)
			end = l->df;
		if (l->wide != NULL)
			for (; at < end && (doc = l->wide[at] - first) < n; at++)
				score[doc] += weight * l->impact[at];
		else
			for (; at < end && (doc = base + l->low[at]) < n; at++)
				score[doc] += weight * l->impact[at];
		if (at < end)
			break;
	}
	s->list[i].at = at;
}

/* Which of 64 scores are more than least. */
static uint64_t
above(const uint32_t score[64], uint32_t least)
{
	uint8_t more[64];

	for (unsigned i = 0; i < 64; i++)
		more[i] = score[i] > least;
	return engine_pack(more);
}

/* The largest score that cannot enter any more. */
static uint32_t
threshold(const struct engine_top *t)
{
	uint64_t least = t->n < t->k || t->k == 0 ? 0 : (uint64_t)-t->heap[0].key;

	return (uint32_t)(least > 0 && t->ties ? least - 1 : least);
}

/* Products from first on, at most 64: note which match, and offer the best. */
static uint64_t
look_through(struct sweep *s, uint32_t first, const uint32_t *score)
{
	uint64_t match = engine_sift(s->sieve, first, above(score, 0)), good;

	if (match == 0 || s->top->k == 0)
		return match;
	good = match & above(score, threshold(s->top));
	for (; good != 0; good &= good - 1) {
		unsigned i = (unsigned)__builtin_ctzll(good);

		engine_offer(s->top, s->sieve, first + i, score[i]);
	}
	return match;
}

int64_t
engine_sweep(struct ctx *c, const struct engine_view *v, unsigned part, const struct engine_sieve *sieve, const struct engine_words *w,
	struct engine_top *top, uint64_t *set)
{
	struct sweep *s = arena_alloc(c->a, sizeof(*s));
	uint32_t docs = v->part[part].seg->docs;
	int64_t total = 0;

	s->part = &v->part[part];
	s->sieve = sieve;
	s->top = top;
	s->n = 0;
	s->score = arena_alloc(c->a, WINDOW * sizeof(*s->score));
	for (unsigned i = 0; i < w->terms; i++) {
		if (w->term[i].id[part] == SEG_NONE || w->term[i].weight == 0)
			continue;
		s->list[s->n].l = seg_list(s->part->seg, w->term[i].id[part]);
		s->list[s->n].at = 0;
		s->list[s->n++].weight = w->term[i].weight;
	}
	for (uint32_t first = 0; first < docs; first += WINDOW) {
		uint32_t n = docs - first < WINDOW ? docs - first : WINDOW;

		memset(s->score, 0, WINDOW * sizeof(*s->score));
		for (unsigned i = 0; i < s->n; i++)
			add_list(s, i, first, n);
		for (uint32_t i = 0; i < n; i += 64) {
			set[(first + i) / 64] = look_through(s, first + i, s->score + i);
			total += __builtin_popcountll(set[(first + i) / 64]);
		}
	}
	return total;
}
