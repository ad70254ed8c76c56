/* What the parts of engine_parse() share: query.c (words to terms) and query_correct.c (words that the index does not know). */
#ifndef SOUK_SEARCH_QUERY_INTERNAL_H
#define SOUK_SEARCH_QUERY_INTERNAL_H

#include "search/engine.h"

struct parse {
	struct ctx *c;
	const struct engine_view *v;
	struct engine_words *w;
	uint32_t langs;		/* of all parts */
	double products;
};

struct variant {
	uint32_t id[ENGINE_PARTS_MAX];
	double df, factor;
};

/* The stems of a word in the shop's languages, those that the index has. */
unsigned query_variants(const struct parse *p, const char *s, size_t n, struct variant out[TEXT_LANGS + 1]);
bool query_is_known(const struct parse *p, const char *s, size_t n);
void query_add_term(struct parse *p, unsigned word, const struct variant *v, double idf);
double query_idf(const struct parse *p, double df);

/* Word i, which is unknown: the nearest word, or two of them; where nothing is near, what is a little farther. */
void query_correct(struct parse *p, unsigned i);
/* Word i and the next one, when only together they are a word: "fire stick" for firestick. */
void query_join(struct parse *p, unsigned i);
/* The most frequent words that begin like an unknown one: it may be unfinished. */
void query_add_prefix(struct parse *p, unsigned i);

#endif
