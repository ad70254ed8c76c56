/* All products that match: how many, and in the order of a column.  See engine.h. */
#include <string.h>

#include "core/banned.h"
#include "search/engine.h"

#define COVER 0.6		/* with an explicit order only products stay that have so much of the best one's words, by rarity */

struct match {
	struct ctx *c;
	const struct engine_view *v;
	struct engine_sieve *sieves;
	struct engine_top *top;
	const struct engine_query *q;
	struct engine_result *out;
	uint64_t *set[ENGINE_PARTS_MAX];	/* products of each part that match */
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

static void
mark_words(struct match *m, unsigned part)
{
	const struct engine_words *w = &m->out->words;
	uint32_t docs = m->v->part[part].seg->docs, doc[SEG_BLOCK];

	m->words[part] = arena_zalloc(m->c->a, (size_t)docs + 1, sizeof(uint16_t));
	for (unsigned i = 0; i < w->terms; i++) {
		struct seg_list l;

		if (w->term[i].id[part] == SEG_NONE)
			continue;
		l = seg_list(m->v->part[part].seg, w->term[i].id[part]);
		for (uint32_t block = 0; block * SEG_BLOCK < l.df; block++) {
			unsigned n = seg_block(&l, block, doc);

			for (unsigned k = 0; k < n; k++)
				if (doc[k] < docs)
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

/* From the words of each product to those products that have enough of them. */
static void
mark_covered(struct match *m)
{
	double best = 0;
	uint8_t *good = arena_zalloc(m->c->a, 65536, 1);

	for (unsigned p = 0; p < m->v->n; p++) {
		mark_words(m, p);
		for (uint32_t d = 0; d < m->v->part[p].seg->docs; d++)
			good[m->words[p][d]] = 1;
	}
	good[0] = 0;
	for (unsigned set = 1; set < 65536; set++)
		if (good[set] && cover(&m->out->words, set) > best)
			best = cover(&m->out->words, set);
	for (unsigned set = 1; set < 65536; set++)
		good[set] = good[set] && cover(&m->out->words, set) >= COVER * best;
	for (unsigned p = 0; p < m->v->n; p++)
		for (uint32_t d = 0; d < m->v->part[p].seg->docs; d++)
			if (good[m->words[p][d]])
				m->set[p][d / 64] |= (uint64_t)1 << d % 64;
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

static struct engine_hit
hit_of(const struct match *m, unsigned part, uint32_t doc)
{
	const struct seg *g = m->v->part[part].seg;
	struct engine_hit h = { .id = g->id[doc], .part = part, .doc = doc };

	switch (m->q->sort) {
	case SORT_PRICE_ASC:
		h.key = g->pays[doc] < 0 ? INT64_MAX : g->pays[doc];
		break;
	case SORT_PRICE_DESC:
		h.key = g->pays[doc] < 0 ? INT64_MAX : -g->pays[doc];
		break;
	case SORT_NEWEST:
		h.key = -(int64_t)g->created[doc];
		h.id = ~h.id;
		break;
	case SORT_RELEVANCE:
	case SORT_POPULAR:
		h.key = -(int64_t)g->sold[doc];
		break;
	}
	return h;
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
	for (unsigned p = 0; p < m->v->n; p++)
		for (size_t i = 0; i <= m->v->part[p].seg->docs / 64; i++)
			for (uint64_t rest = m->set[p][i]; rest != 0; rest &= rest - 1) {
				struct engine_hit h = hit_of(m, p, (uint32_t)(i * 64 + (unsigned)__builtin_ctzll(rest)));

				if (!a->set || h.key > a->key || (h.key == a->key && h.id > (m->q->sort == SORT_NEWEST ? ~a->id : a->id)))
					engine_heap_put(heap, &n, k, &h);
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
	for (unsigned p = 0; p < v->n; p++)
		if (top != NULL)
			score_part(m, p);
		else
			sift(m, p);
	if (top == NULL)
		order(m);
	if (q->facets)
		engine_facets(c, v, m->set, out);
}
