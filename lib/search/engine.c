/* One search from query to page; see engine.h. */
#include "search/engine.h"

#include <math.h>
#include <string.h>

#include "core/banned.h"

#define SIMILAR_TERMS 12	/* of the name that count */

/* Position in the reranked list where the page starts: behind the hit of the page before. */
static size_t
page_start(const struct engine_query *q, const struct engine_hit *hit, size_t n)
{
	size_t i;

	if (!q->after.set)
		return q->offset < n ? q->offset : n;
	for (i = 0; i < n; i++)
		if (hit[i].key > q->after.key || (hit[i].key == q->after.key && hit[i].id > q->after.id))
			break;
	return i;
}

/* From the best by score to the page. */
static void
by_relevance(struct ctx *c, const struct engine_view *v, const struct engine_query *q, struct engine_top *top, struct engine_result *out)
{
	bool raw = q->after.set && q->after.raw;
	size_t n = top->n, start, best = raw ? 0 : n < ENGINE_RERANK ? n : ENGINE_RERANK;

	engine_heap_sort(top->heap, n);
	out->hit = top->heap;
	out->favour = q->after.favour;
	if (best > 0)
		engine_rerank(c, v, &out->words, out->hit, best, &out->favour);
	start = raw ? 0 : page_start(q, out->hit, q->after.set ? best : n);
	out->hit += start;
	out->n = n - start;
	out->more = out->n > q->limit;
	if (out->more)
		out->n = q->limit;
}

void
engine_search(struct ctx *c, const struct engine_view *v, const struct engine_query *q, struct engine_result *out)
{
	struct engine_sieve *sieves = arena_alloc(c->a, sizeof(*sieves) * (v->n + 1));
	struct engine_top top = { .q = q };
	bool words = q->text != NULL && q->text[0] != '\0', scored = words && q->sort == SORT_RELEVANCE;
	size_t docs = 0;

	memset(out, 0, sizeof(*out));
	for (unsigned p = 0; p < v->n; p++) {
		engine_sieve(c, &v->part[p], &q->filter, &sieves[p]);
		sieves[p].q = q->leave_out ? q : NULL;
		sieves[p].number = p;
		docs += v->part[p].seg->docs;
	}
	if (words)
		engine_parse(c, v, q->text, q->locale, &out->words);
	if (scored) {
		top.k = (q->after.set && q->after.raw ? 0 : ENGINE_RERANK) + (q->after.set ? 0 : q->offset) + q->limit + 1;
		top.k = top.k < docs + 1 ? top.k : docs + 1;
		top.heap = arena_alloc(c->a, (top.k + 1) * sizeof(*top.heap));
	}
	engine_matches(c, v, sieves, q, scored ? &top : NULL, out);
	if (scored)
		by_relevance(c, v, q, &top, out);
}

/* ---- similar products ---- */

static bool
find_product(const struct engine_view *v, uint64_t id, unsigned *part, uint32_t *doc)
{
	for (unsigned p = v->n; p-- > 0;) {
		const struct seg *s = v->part[p].seg;
		uint32_t lo = 0, hi = s->docs;

		while (lo < hi) {
			uint32_t mid = lo + (hi - lo) / 2;

			if (s->id[mid] < id)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < s->docs && s->id[lo] == id && !(v->part[p].masked != NULL && v->part[p].masked[lo / 64] >> lo % 64 & 1)) {
			*part = p;
			*doc = lo;
			return true;
		}
	}
	return false;
}

/* The rarest words of the name, as a query. */
static void
title_terms(const struct engine_view *v, unsigned part, uint32_t doc, struct engine_words *w)
{
	double products = 0;
	uint32_t title[SEG_TITLE_MAX];
	size_t n = seg_title(v->part[part].seg, doc, title);

	for (unsigned p = 0; p < v->n; p++)
		products += v->part[p].seg->docs;
	for (size_t i = 0; i < n && w->terms < SIMILAR_TERMS; i++) {
		struct engine_term t = { .word = (uint8_t)w->terms };
		double df = 0;
		size_t m;
		const char *s = seg_term_text(v->part[part].seg, title[i], &m);
		bool again = title[i] >= SEG_BREAK;

		for (unsigned k = 0; k < w->terms; k++)
			again = again || w->term[k].id[part] == title[i];
		if (again || m < 2)
			continue;
		for (unsigned p = 0; p < v->n; p++) {
			t.id[p] = seg_term_find(v->part[p].seg, s, m);
			df += t.id[p] != SEG_NONE ? seg_list(v->part[p].seg, t.id[p]).df : 0;
		}
		if (df < 2)
			continue;
		t.weight = (uint32_t)lround(256 * log(1 + (products - df + 0.5) / (df + 0.5) * (df < products)));
		w->term[w->terms++] = t;
	}
}

/* Terms in common, then the same leaf category and a price nearby. */
size_t
engine_similar(struct ctx *c, const struct engine_view *v, uint64_t id, size_t limit, struct engine_hit *out)
{
	struct engine_filter all = { .min_price = NAN, .max_price = NAN };
	struct engine_sieve *sieves = arena_alloc(c->a, sizeof(*sieves) * (v->n + 1));
	struct engine_words *w = arena_zalloc(c->a, 1, sizeof(*w));
	struct engine_query q = { .limit = limit };
	struct engine_hit *hit = arena_alloc(c->a, (ENGINE_RERANK + 1) * sizeof(*hit));
	struct engine_top top = { .heap = hit, .k = ENGINE_RERANK, .q = &q };
	const struct seg *mine;
	unsigned part;
	uint32_t doc;
	size_t n, kept = 0;

	if (!find_product(v, id, &part, &doc))
		return 0;
	mine = v->part[part].seg;
	title_terms(v, part, doc, w);
	for (unsigned p = 0; p < v->n; p++) {
		engine_sieve(c, &v->part[p], &all, &sieves[p]);
		top.part = p;
		top.ties = p > 0;
		engine_top_of(c, v, p, &sieves[p], w, &top);
	}
	n = top.n;
	engine_heap_sort(hit, n);
	for (size_t i = 0; i < n; i++) {
		const struct seg *s = v->part[hit[i].part].seg;
		const struct seg_category *a = seg_category(mine, mine->category[doc]), *b = seg_category(s, s->category[hit[i].doc]);
		double score = (double)-hit[i].key;

		if (hit[i].id == id)
			continue;
		if (a != NULL && b != NULL && a->id == b->id)
			score *= 1.5;
		if (hit[i].part == part && mine->brand[doc] != SEG_NONE && s->brand[hit[i].doc] == mine->brand[doc])
			score *= 1.1;
		if (mine->pays[doc] > 0 && s->pays[hit[i].doc] > 0)
			score *= 1 + 0.2 * exp(-fabs(log((double)s->pays[hit[i].doc] / (double)mine->pays[doc])));
		hit[i].key = -llround(score);
		hit[kept++] = hit[i];
	}
	engine_heap_sort(hit, kept);
	if (kept > limit)
		kept = limit;
	memcpy(out, hit, kept * sizeof(*out));
	return kept;
}
