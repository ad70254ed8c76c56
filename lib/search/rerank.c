/*
 * The best products in a better order: pairs of the query's words that stand together in the name, how many of its words the name has, words that
 * only a name in another language has ("table" of "table lamp" in a French query), then the category of the ten best (its share of their score
 * raises every product of the same category).  What each gains is told in docs/search-format.md.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "search/engine.h"

#define PAIR 0.1		/* of the mean weight of two words, for a pair */
#define COVER 0.3		/* of the score, for all words in the name */
#define FOREIGN 0.7		/* of the weight of a word that only the name in another language has, while there is one in the query's */
#define AHEAD 0.3		/* of the score, for a product that says to be without what is not wanted */
#define SHARE_ONE 65536
#define FEEDBACK ENGINE_FAVOURS_MAX		/* products whose categories count */
#define WORD_NONE 255
#define DEPTH_MAX 8		/* categories above one that are looked at */
#define MEMORY 64		/* categories whose words are remembered */

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

/* Which words of the query a product's names have. */
struct names {
	uint32_t mine, others;	/* in the query's language; in others */
	double pairs;		/* mean weight of neighbours that are neighbours here too */
};

/* Without a name in the query's language the first one stands for it; in a query of unknown language all do. */
static void
read_names(const struct engine_view *v, const struct engine_words *w, const struct engine_hit *h, struct names *out)
{
	uint32_t title[SEG_TITLE_MAX], mine = SEG_BREAK + (uint32_t)w->lang + 1, seen = 0, set[3] = { 0 };	/* mine, first, others */
	size_t n = seg_title(v->part[h->part].seg, h->doc, title);
	uint8_t before = WORD_NONE, word;
	unsigned into = 1;
	bool any = false;

	out->pairs = 0;
	for (size_t i = 0; i < n; i++, before = word) {
		word = title[i] >= SEG_BREAK ? WORD_NONE : word_of(w, h->part, title[i]);
		if (title[i] >= SEG_BREAK) {
			into = w->lang < 0 || title[i] == mine ? 0 : i == 0 ? 1 : 2;
			any = any || into == 0;
		}
		if (word == WORD_NONE)
			continue;
		set[into] |= 1u << word;
		if (before != WORD_NONE && word == before + 1 && !(seen >> word & 1)) {
			seen |= 1u << word;
			out->pairs += (w->word[before].idf + w->word[word].idf) / 2;
		}
	}
	out->mine = any ? set[0] : set[1];
	out->others = any ? set[1] | set[2] : set[2];
}

struct category_words {
	const struct seg *s;
	const struct engine_words *w;
	unsigned part;
	uint32_t set;
};

static void
take_category_word(void *arg, const struct text_word *t)
{
	struct category_words *k = arg;
	char stem[TEXT_WORD_MAX];
	uint32_t term = seg_term_find(k->s, stem, text_stem(k->w->lang, t->s, t->n, stem));
	uint8_t word = term != SEG_NONE ? word_of(k->w, k->part, term) : WORD_NONE;

	if (word != WORD_NONE)
		k->set |= 1u << word;
}

/* Which words of the query a category and those above it have in their names, in the language of the query. */
static uint32_t
category_words(const struct engine_view *v, const struct engine_words *w, unsigned part, uint32_t category)
{
	struct category_words k = { .s = v->part[part].seg, .w = w, .part = part };
	const struct seg_category *c;

	for (unsigned depth = 0; depth < DEPTH_MAX && (c = seg_category(k.s, category)) != NULL; depth++, category = c->parent) {
		size_t n;
		const char *text = seg_category_text(k.s, c, &n), *end = text + n, *p = memchr(text, '\0', n), *next;

		for (p = p != NULL ? p + 1 : end; p + 3 < end && (next = memchr(p, '\0', (size_t)(end - p))) != NULL; p = next + 1)
			if (text_lang(p, 2) == w->lang && next > p + 3)
				text_words(p + 3, (size_t)(next - p) - 3, take_category_word, &k);
	}
	return k.set;
}

/* The same, remembered while one query is answered. */
struct memory {
	struct {
		uint32_t category, set;
		unsigned part;
		bool used;
	} of[MEMORY];
};

static uint32_t
remembered(struct memory *m, const struct engine_view *v, const struct engine_words *w, const struct engine_hit *h)
{
	uint32_t category = v->part[h->part].seg->category[h->doc], i = category % MEMORY;

	if (!m->of[i].used || m->of[i].category != category || m->of[i].part != h->part) {
		m->of[i].used = true;
		m->of[i].category = category;
		m->of[i].part = h->part;
		m->of[i].set = category_words(v, w, h->part, category);
	}
	return m->of[i].set;
}

/*
 * What the names add to a score: pairs, the share of words that the name has, and less for words that only names in other languages have, unless
 * the category has them.
 */
static double
by_names(struct memory *m, const struct engine_view *v, const struct engine_words *w, const struct engine_hit *h)
{
	unsigned has = 0, all = 0;
	struct names names;
	double sum = 0;

	read_names(v, w, h, &names);
	if (w->lang >= 0 && (names.others & ~names.mine) != 0)
		names.mine |= remembered(m, v, w, h);
	for (unsigned i = 0; i < w->n; i++) {
		if (w->word[i].flags & TEXT_JOINED)
			continue;
		all++;
		has += names.mine >> i & 1;
		if (names.others >> i & 1 && !(names.mine >> i & 1))
			sum += w->word[i].idf;
	}
	sum = (PAIR * names.pairs - FOREIGN * sum) * 256 * 255 / (h->place == ENGINE_BEHIND ? 1 << ENGINE_BEHIND_SHIFT : 1);
	if (h->place == ENGINE_AHEAD)
		sum += AHEAD * (double)-h->key;
	return all > 0 ? sum + COVER * has / all * (double)-h->key : sum;
}

static int
compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return (x->hit.id > y->hit.id) - (x->hit.id < y->hit.id);
}

/* What the categories of the best products hold of their score. */
static void
find_favour(const struct candidate *all, size_t n, struct engine_favour *out)
{
	double sum = 0, share[FEEDBACK] = { 0 };

	*out = (struct engine_favour){ .set = true };
	n = n < FEEDBACK ? n : FEEDBACK;
	for (size_t i = 0; i < n; i++)
		sum += all[i].score;
	for (size_t i = 0; i < n && sum > 0; i++) {
		unsigned k = 0;

		if (all[i].category == 0)
			continue;
		while (k < out->n && out->of[k].category != all[i].category)
			k++;
		out->n += k == out->n;
		out->of[k].category = all[i].category;
		share[k] += all[i].score / sum;
		out->of[k].share = (uint32_t)lround(share[k] * SHARE_ONE);
	}
}

static void
feed_back(struct candidate *all, size_t n, const struct engine_favour *favour)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < favour->n; k++)
			if (all[i].category == favour->of[k].category)
				all[i].score *= 1 + (double)favour->of[k].share / SHARE_ONE;
}

void
engine_rerank(struct ctx *c, const struct engine_view *v, const struct engine_words *w, struct engine_hit *hit, size_t n,
	struct engine_favour *favour)
{
	struct candidate *all = arena_alloc(c->a, (n + 1) * sizeof(*all));
	struct memory *m = arena_zalloc(c->a, 1, sizeof(*m));

	for (unsigned far = 2; far-- > 0;)	/* names lie all over the index: wait for all at once */
		for (size_t i = 0; i < n; i++)
			seg_title_ahead(v->part[hit[i].part].seg, hit[i].doc, far);
	for (size_t i = 0; i < n; i++) {
		const struct seg *s = v->part[hit[i].part].seg;
		const struct seg_category *k = seg_category(s, s->category[hit[i].doc]);

		all[i] = (struct candidate){ fmax(0, (double)-hit[i].key + by_names(m, v, w, &hit[i])), k != NULL ? k->id : 0, hit[i] };
	}
	if (n > 1)
		qsort(all, n, sizeof(*all), compare);
	if (!favour->set)
		find_favour(all, n, favour);
	feed_back(all, n, favour);
	if (n > 1)
		qsort(all, n, sizeof(*all), compare);
	for (size_t i = 0; i < n; i++) {
		hit[i] = all[i].hit;
		hit[i].key = -llround(all[i].score);
		hit[i].raw = false;
	}
}
