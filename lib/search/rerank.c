/*
 * The best products in a better order: pairs of the query's words that stand together in the name, then the category of the ten best (its share
 * of their score raises every product of the same category).  Measured on the queries of bench/; see docs/search-format.md.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "search/engine.h"

#define PAIR 0.2		/* of the mean weight of two words, for a pair */
#define FEEDBACK 10		/* products whose categories count */
#define WORD_NONE 255

struct candidate {
	double score;
	uint64_t category;	/* id, 0 for none */
	struct engine_hit hit;
};

/* Which word of the query a term of a part belongs to. */
static uint8_t
word_of(const struct engine_words *w, unsigned part, uint32_t term)
{
	for (unsigned i = 0; i < w->terms; i++)
		if (w->term[i].id[part] == term)
			return w->term[i].word;
	return WORD_NONE;
}

static double
pairs(const struct engine_view *v, const struct engine_words *w, const struct engine_hit *h)
{
	uint32_t title[SEG_TITLE_MAX];
	size_t n = seg_title(v->part[h->part].seg, h->doc, title);
	uint8_t before = WORD_NONE;
	uint32_t seen = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t word = title[i] >= SEG_BREAK ? WORD_NONE : word_of(w, h->part, title[i]);

		if (word != WORD_NONE && before != WORD_NONE && word == before + 1 && !(seen >> word & 1)) {
			seen |= 1u << word;
			sum += (w->word[before].idf + w->word[word].idf) / 2;
		}
		before = word;
	}
	return PAIR * sum * 256 * 255;
}

static int
compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return (x->hit.id > y->hit.id) - (x->hit.id < y->hit.id);
}

static void
feed_back(struct candidate *all, size_t n)
{
	size_t best = n < FEEDBACK ? n : FEEDBACK;
	struct { uint64_t category; double score; } top[FEEDBACK];
	double sum = 0;

	for (size_t i = 0; i < best; i++) {
		top[i].category = all[i].category;
		top[i].score = all[i].score;
		sum += all[i].score;
	}
	for (size_t i = 0; i < n && sum > 0; i++) {
		double share = 0;

		for (size_t k = 0; k < best && all[i].category != 0; k++)
			if (top[k].category == all[i].category)
				share += top[k].score / sum;
		all[i].score *= 1 + share;
	}
}

void
engine_rerank(struct ctx *c, const struct engine_view *v, const struct engine_words *w, struct engine_hit *hit, size_t n)
{
	struct candidate *all = arena_alloc(c->a, (n + 1) * sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		const struct seg *s = v->part[hit[i].part].seg;
		const struct seg_category *k = seg_category(s, s->category[hit[i].doc]);

		double more = pairs(v, w, &hit[i]) / (hit[i].behind ? 1 << ENGINE_BEHIND : 1);

		all[i] = (struct candidate){ (double)-hit[i].key + more, k != NULL ? k->id : 0, hit[i] };
	}
	if (n > 1)
		qsort(all, n, sizeof(*all), compare);
	feed_back(all, n);
	if (n > 1)
		qsort(all, n, sizeof(*all), compare);
	for (size_t i = 0; i < n; i++) {
		hit[i] = all[i].hit;
		hit[i].key = -llround(all[i].score);
		hit[i].raw = false;
	}
}
