/*
 * Searching an index of one or several segments: the file, and behind it small ones with what changed since.
 *
 * Score of a product: sum over the query's terms of weight (inverse document frequency) times impact (BM25F, quantised to 8 bits; Robertson
 * and Zaragoza 2009), all in integers, so that pruning (MaxScore, Turtle and Flood 1995, with block maxima, Ding and Suel 2011) gives exactly
 * the products that scoring everything gives.  Equal scores are ordered by product id.  The best ENGINE_RERANK are then ordered anew: word
 * pairs in the name, and the share of the ten best that the product's category holds.
 *
 * Everything is in the request's arena; a view is only read.
 */
#ifndef SOUK_SEARCH_ENGINE_H
#define SOUK_SEARCH_ENGINE_H

#include <string.h>

#include "core/ctx.h"
#include "search/search.h"
#include "search/segment.h"
#include "search/text.h"

#define ENGINE_PARTS_MAX 20
#define ENGINE_WORDS_MAX 16	/* of a query that count */
#define ENGINE_TERMS_MAX 96
#define ENGINE_RERANK 300
#define ENGINE_BEHIND_SHIFT 1
#define ENGINE_FAVOURS_MAX 10
#define ENGINE_FACET_MAX 20	/* values of one facet */

struct engine_part {
	const struct seg *seg;
	const uint64_t *masked;		/* bit set: that product has a newer version or is gone; NULL: none */
	uint32_t masked_n;
};

struct engine_view {
	struct engine_part part[ENGINE_PARTS_MAX];
	unsigned n;
};

struct engine_word {
	char s[TEXT_WORD_MAX];		/* as it is searched, folded */
	size_t n;
	char typed[TEXT_WORD_MAX];
	size_t typed_n;
	unsigned flags;			/* TEXT_JOINED */
	bool corrected;
	bool known;
	double idf;
};

struct engine_term {
	uint32_t id[ENGINE_PARTS_MAX];	/* in each part, SEG_NONE */
	uint32_t weight;		/* idf * 256 */
	uint8_t word;
};

/* A query as it is understood. */
struct engine_words {
	struct engine_word word[ENGINE_WORDS_MAX];
	unsigned n;
	struct engine_term term[ENGINE_TERMS_MAX];
	unsigned terms;
	const char *corrected;		/* JSON object of typed to searched words, NULL */
	int lang;			/* of the query, number in text_langs; -1: cannot be told, or the index has only one */
};

struct engine_filter {
	const char *category, *brand, *colour;	/* see struct search_query */
	const char *const *colours;	/* any of these, without colour; NULL */
	unsigned colours_n;
	double min_price, max_price;	/* NaN: none */
	const char *currency;		/* of these; products in others are compared at the shop's rates, and left out without one.  NULL: amounts of
					   any currency are compared as they are */
	struct search_attribute attribute[SEARCH_ATTRIBUTES_MAX];
	unsigned attributes;
	double min_rating;		/* 0: any */
	bool featured, in_stock;
};

/* The categories of the ten best, and what share of their score each holds, in 1/65536: it raises all products of the category. */
struct engine_favour {
	struct {
		uint64_t category;
		uint32_t share;
	} of[ENGINE_FAVOURS_MAX];
	unsigned n;
	bool set;
};

/* The score of a product behind counts 1 / 2^ENGINE_BEHIND_SHIFT; one ahead is raised when the best are ordered anew. */
enum engine_place { ENGINE_IN_LINE, ENGINE_BEHIND, ENGINE_AHEAD };

/* Where a page starts. */
struct engine_after {
	struct engine_favour favour;	/* of the first page: later pages keep it, so that scores stay while the best products change */
	bool set, raw;		/* raw: behind the reranked ones */
	int64_t key;		/* sort key or score of the last one of the page before */
	uint64_t id;
};

struct engine_query {
	const char *text;	/* NULL or "": everything */
	const char *locale;	/* NULL: unknown */
	struct engine_filter filter;
	enum search_sort sort;
	size_t limit, offset;	/* offset only without after */
	struct engine_after after;
	bool exhaustive;	/* score every product, one after the other: for tests */
	/*
	 * Where a product stands by relevance; asked for those that may be among the best.  NULL: all in line.  With leave_out what stands behind is not
	 * found, by no order, and all that match are asked for.  suspects: a set for each part, all others are in line; NULL: any may not be.
	 */
	enum engine_place (*place)(const void *arg, unsigned part, uint32_t doc);
	const void *place_arg;
	const uint64_t *const *suspects;
	bool leave_out;
	bool facets;
	bool strict;		/* with an explicit order: without products that have a word in passing */
	uint32_t literal;	/* for understand_search(): see struct understand_shop */
};

struct engine_hit {
	uint64_t id;
	int64_t key;		/* sort key, smaller is better; minus the score by relevance */
	uint32_t part, doc;
	enum engine_place place;
	bool raw;
};

struct engine_count {
	const char *name;	/* category: slug */
	size_t n;
	uint32_t count;
};

struct engine_facet {
	struct engine_count value[ENGINE_FACET_MAX];	/* most frequent first, then by name */
	unsigned n;
};

struct engine_result {
	struct engine_hit *hit;
	size_t n;
	bool more;
	int64_t total;
	struct engine_words words;
	struct engine_favour favour;
	struct engine_facet category, brand, colour;	/* when asked for */
};

/* E_INVALID is not possible: what cannot be understood finds nothing. */
void engine_search(struct ctx *c, const struct engine_view *v, const struct engine_query *q, struct engine_result *out);

/* Products like the one with this id, best first; 0 when it is not in the index. */
size_t engine_similar(struct ctx *c, const struct engine_view *v, uint64_t id, size_t limit, struct engine_hit *out);

/* ---- between the parts of the engine ---- */

/* Words and terms of a text (query.c). */
void engine_parse(struct ctx *c, const struct engine_view *v, const char *text, const char *locale, struct engine_words *out);

/* A filter made ready for one part (filter.c). */
struct engine_sieve {
	const struct engine_part *part;
	bool none;			/* nothing can pass */
	bool any;			/* everything passes that is not masked */
	uint32_t category_from, category_to;	/* SEG_NONE from: any */
	const uint64_t *brands, *colours;	/* sets of allowed values, NULL: any */
	int64_t min[SEG_CURRENCIES], max[SEG_CURRENCIES];
	bool priced;			/* min and max count */
	bool featured, in_stock;
	uint16_t min_rating;
	const uint64_t *attributes;	/* products that have those asked for, NULL: any */
	const uint64_t *set;		/* products that match and pass, when they are known already; NULL */
	const struct engine_query *q;	/* with leave_out, NULL otherwise */
	unsigned number;		/* of the part */
};
void engine_sieve(struct ctx *c, const struct engine_part *p, const struct engine_filter *f, struct engine_sieve *out);
bool engine_passes(const struct engine_sieve *s, uint32_t doc);
/* Those of the up to 64 products from first on that pass; first is a multiple of 64. */
uint64_t engine_sift(const struct engine_sieve *s, uint32_t first, uint64_t set);

static inline enum engine_place
engine_place_of(const struct engine_query *q, unsigned part, uint32_t doc)
{
	if (q->place == NULL || (q->suspects != NULL && !(q->suspects[part][doc / 64] >> doc % 64 & 1)))
		return ENGINE_IN_LINE;
	return q->place(q->place_arg, part, doc);
}

/* 64 bytes, each 0 or 1, as bits. */
static inline uint64_t
engine_pack(const uint8_t byte[64])
{
	uint64_t out = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t eight;

		memcpy(&eight, byte + i * 8, sizeof(eight));
		out |= (eight * 0x0102040810204080u >> 56) << i * 8;
	}
	return out;
}

/* The k best by score while they are looked for (topk.c). */
struct engine_top {
	struct engine_hit *heap;	/* the worst on top; room for k + 1 */
	size_t n, k;
	const struct engine_query *q;
	unsigned part;
	bool ties;			/* a later product may win with an equal score */
};
/* Put a product of top->part in when its score is good enough; true when the heap changed. */
bool engine_offer(struct engine_top *top, const struct engine_sieve *s, uint32_t doc, uint64_t score);
/* The best of one part by MaxScore; those that sieve lets pass. */
void engine_top_of(struct ctx *c, const struct engine_view *v, unsigned part, const struct engine_sieve *sieve, const struct engine_words *w,
	struct engine_top *top);
/* Is it worth while to score all products of a part one window after the other (sweep.c)? */
bool engine_sweep_pays(const struct seg *s, unsigned part, const struct engine_words *w);
/* Do so: set gets the products that match and pass; how many they are. */
int64_t engine_sweep(struct ctx *c, const struct engine_view *v, unsigned part, const struct engine_sieve *sieve, const struct engine_words *w,
	struct engine_top *top, uint64_t *set);
/* Order them anew (rerank.c).  favour is used when it is set, and set otherwise. */
void engine_rerank(struct ctx *c, const struct engine_view *v, const struct engine_words *w, struct engine_hit *hit, size_t n,
	struct engine_favour *favour);
/* Count, order by a column or, with top, by score (matches.c). */
void engine_matches(struct ctx *c, const struct engine_view *v, struct engine_sieve *sieves, const struct engine_query *q,
	struct engine_top *top, struct engine_result *out);

/* The most frequent categories, brands and colours of these products (facets.c); set has a bitmap for each part. */
void engine_facets(struct ctx *c, const struct engine_view *v, uint64_t *const *set, struct engine_result *out);

/* Is a better than b? */
static inline bool
engine_better(const struct engine_hit *a, const struct engine_hit *b)
{
	return a->key != b->key ? a->key < b->key : a->id < b->id;
}

/* Keep the k best in a heap with the worst on top; true when it changed. */
bool engine_heap_put(struct engine_hit *heap, size_t *n, size_t k, const struct engine_hit *h);
void engine_heap_sort(struct engine_hit *heap, size_t n);

#endif
