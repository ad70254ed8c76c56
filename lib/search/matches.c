/* All products that match: how many, and in the order of a column.  See engine.h. */
#include <string.h>

#include "core/banned.h"
#include "search/engine.h"

#define IN_PASSING 0.6		/* of the term's largest impact: products with less only mention the word */
#define COVER 0.6		/* with an explicit order only products stay that have so much of the best one's words, by rarity */

struct match {
	struct ctx *c;
	const struct engine_view *v;
	struct engine_sieve *sieves;
	struct engine_top *top;
	const struct engine_query *q;
	struct engine_result *out;
	uint64_t *set[ENGINE_PARTS_MAX];	/* products of each part that match, NULL behind the last part */
	uint16_t *words[ENGINE_PARTS_MAX];	/* the words that each product has, only with an explicit order */
};

static bool
has_words(const struct match *m)
{
	return m->q->text != NULL && m->q->text[0] != '\0';
}

/* Products with one of the terms. */
static void
mark_any(struct match *m, unsigned part)
{
	const struct engine_words *w = &m->out->words;
	uint32_t docs = m->v->part[part].seg->docs, doc[SEG_BLOCK];

	for (unsigned i = 0; i < w->terms; i++) {
		struct seg_list l;

		if (w->term[i].id[part] == SEG_NONE)
			continue;
		l = seg_list(m->v->part[part].seg, w->term[i].id[part]);
		for (uint32_t block = 0; block * SEG_BLOCK < l.df; block++) {
			unsigned n = seg_block(&l, block, doc);

			for (unsigned k = 0; k < n; k++)
				if (doc[k] < docs)
					m->set[part][doc[k] / 64] |= (uint64_t)1 << doc[k] % 64;
		}
	}
}

/* Of the first part that has the term, so that a few products that changed are measured by the others. */
static double
largest_impact(const struct engine_view *v, const struct engine_term *t, unsigned part)
{
	unsigned from = t->id[0] != SEG_NONE ? 0 : part;

	return seg_list(v->part[from].seg, t->id[from]).max;
}

static void
mark_words(struct match *m, unsigned part)
{
	const struct engine_words *w = &m->out->words;
	uint32_t docs = m->v->part[part].seg->docs, doc[SEG_BLOCK];

	m->words[part] = arena_zalloc(m->c->a, (size_t)docs + 1, sizeof(uint16_t));
	for (unsigned i = 0; i < w->terms; i++) {
		struct seg_list l;
		double least;

		if (w->term[i].id[part] == SEG_NONE)
			continue;
		l = seg_list(m->v->part[part].seg, w->term[i].id[part]);
		least = m->q->strict ? IN_PASSING * largest_impact(m->v, &w->term[i], part) : 0;
		for (uint32_t block = 0; block * SEG_BLOCK < l.df; block++) {
			unsigned n = seg_block(&l, block, doc);

			for (unsigned k = 0; k < n; k++)
				if (doc[k] < docs && l.impact[block * SEG_BLOCK + k] >= least)
					m->words[part][doc[k]] |= (uint16_t)(1u << w->term[i].word);
		}
	}
}

static double
cover(const struct engine_words *w, unsigned set)
{
	double sum = 0;

	for (unsigned i = 0; i < w->n; i++)
		if (set >> i & 1)
			sum += w->word[i].idf;
	return sum;
}

/* Do 64 products have no word at all?  Most have none: they are passed over. */
static bool
is_blank(const uint16_t words[64])
{
	uint16_t any = 0;

	for (unsigned i = 0; i < 64; i++)
		any |= words[i];
	return any == 0;
}

/* Which combinations of words there are. */
static void
note_combinations(const uint16_t *words, uint32_t docs, uint8_t *there)
{
	for (uint32_t first = 0; first < docs; first += 64) {
		if (docs - first >= 64 && is_blank(words + first))
			continue;
		for (uint32_t d = first; d < docs && d < first + 64; d++)
			there[words[d]] = 1;
	}
}

/* Products that have one of the good combinations, as a set. */
static void
mark_good(const uint16_t *words, uint32_t docs, const uint8_t *good, uint64_t *set)
{
	for (uint32_t first = 0; first < docs; first += 64) {
		uint8_t byte[64] = { 0 };

		if (docs - first >= 64 && is_blank(words + first))
			continue;
		for (unsigned i = 0; i < 64 && first + i < docs; i++)
			byte[i] = good[words[first + i]];
		set[first / 64] = engine_pack(byte);
	}
}

/* From the words of each product to those products that have enough of them. */
static void
mark_covered(struct match *m)
{
	double best = 0;
	uint8_t *good = arena_zalloc(m->c->a, 65536, 1);

	for (unsigned p = 0; p < m->v->n; p++) {
		mark_words(m, p);
		note_combinations(m->words[p], m->v->part[p].seg->docs, good);
	}
	good[0] = 0;
	for (unsigned set = 1; set < 65536; set++)
		if (good[set] && cover(&m->out->words, set) > best)
			best = cover(&m->out->words, set);
	for (unsigned set = 1; set < 65536; set++)
		good[set] = good[set] && cover(&m->out->words, set) >= COVER * best;
	for (unsigned p = 0; p < ENGINE_PARTS_MAX && m->set[p] != NULL; p++)
		mark_good(m->words[p], m->v->part[p].seg->docs, good, m->set[p]);
}

/* Take out what does not pass the filters, and count. */
static void
sift(struct match *m, unsigned part)
{
	const struct engine_sieve *s = &m->sieves[part];
	size_t n = (size_t)s->part->seg->docs / 64 + 1;
	uint64_t *set = m->set[part];

	if (s->none) {
		memset(set, 0, n * sizeof(*set));
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (set[i] != 0) {
			set[i] = engine_sift(s, (uint32_t)(i * 64), set[i]);
			m->out->total += __builtin_popcountll(set[i]);
		}
}

/* ---- order ---- */

/* The key that a product is ordered by, smaller first. */
static int64_t
key_of(const struct match *m, const struct seg *g, uint32_t doc)
{
	switch (m->q->sort) {
	case SORT_PRICE_ASC:
		return g->pays[doc] < 0 ? INT64_MAX : g->pays[doc];
	case SORT_PRICE_DESC:
		return g->pays[doc] < 0 ? INT64_MAX : -g->pays[doc];
	case SORT_NEWEST:
		return -(int64_t)g->created[doc];
	case SORT_RELEVANCE:
	case SORT_POPULAR:
		break;
	}
	return -(int64_t)g->sold[doc];
}

static void
order(struct match *m)
{
	const struct engine_after *a = &m->q->after;
	size_t skip = a->set ? 0 : m->q->offset, k = skip + m->q->limit + 1, n = 0;
	struct engine_hit *heap;

	if (k > (size_t)m->out->total + 1)
		k = (size_t)m->out->total + 1;
	heap = arena_alloc(m->c->a, (k + 1) * sizeof(*heap));
	for (unsigned p = 0; p < ENGINE_PARTS_MAX && m->set[p] != NULL; p++) {
		const struct seg *g = m->v->part[p].seg;

		for (size_t i = 0; i <= g->docs / 64; i++)
			for (uint64_t rest = m->set[p][i]; rest != 0; rest &= rest - 1) {
				uint32_t doc = (uint32_t)(i * 64 + (unsigned)__builtin_ctzll(rest));
				struct engine_hit h = { .key = key_of(m, g, doc), .part = p, .doc = doc };

				if (n == k && h.key > heap[0].key)
					continue;
				h.id = m->q->sort == SORT_NEWEST ? ~g->id[doc] : g->id[doc];
				if (!a->set || h.key > a->key || (h.key == a->key && h.id > (m->q->sort == SORT_NEWEST ? ~a->id : a->id)))
					engine_heap_put(heap, &n, k, &h);
			}
	}
	engine_heap_sort(heap, n);
	m->out->hit = heap + (skip < n ? skip : n);
	m->out->n = n - (skip < n ? skip : n);
	m->out->more = m->out->n > m->q->limit;
	if (m->out->more)
		m->out->n = m->q->limit;
	for (size_t i = 0; i < m->out->n; i++)
		m->out->hit[i].id = m->v->part[m->out->hit[i].part].seg->id[m->out->hit[i].doc];
}

/* Matches of one part, and the best of them by score. */
static void
score_part(struct match *m, unsigned p)
{
	const struct engine_words *w = &m->out->words;

	m->top->part = p;
	m->top->ties = p > 0;
	if (!m->q->exhaustive && !m->sieves[p].none && engine_sweep_pays(m->v->part[p].seg, p, w)) {
		m->out->total += engine_sweep(m->c, m->v, p, &m->sieves[p], w, m->top, m->set[p]);
		return;
	}
	mark_any(m, p);
	sift(m, p);
	m->sieves[p].set = m->set[p];
	engine_top_of(m->c, m->v, p, &m->sieves[p], w, m->top);
}

void
engine_matches(struct ctx *c, const struct engine_view *v, struct engine_sieve *sieves, const struct engine_query *q,
	struct engine_top *top, struct engine_result *out)
{
	struct match *m = arena_zalloc(c->a, 1, sizeof(*m));

	*m = (struct match){ .c = c, .v = v, .sieves = sieves, .q = q, .top = top, .out = out };
	for (unsigned p = 0; p < v->n; p++) {
		uint32_t docs = v->part[p].seg->docs;

		m->set[p] = arena_zalloc(c->a, (size_t)docs / 64 + 1, sizeof(uint64_t));
		for (uint32_t i = 0; !has_words(m) && i <= docs / 64; i++)
			m->set[p][i] = i < docs / 64 ? UINT64_MAX : ((uint64_t)1 << docs % 64) - 1;
	}
	if (has_words(m) && top == NULL)
		mark_covered(m);
	for (unsigned p = 0; p < ENGINE_PARTS_MAX && m->set[p] != NULL; p++)
		if (top != NULL)
			score_part(m, p);
		else
			sift(m, p);
	if (top == NULL)
		order(m);
	if (q->facets)
		engine_facets(c, v, m->set, out);
}
