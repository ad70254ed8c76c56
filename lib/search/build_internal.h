/* What the parts of the builder share: build.c (texts to terms), build_write.c (runs, merge, file), build_words.c (words and compounds). */
#ifndef SOUK_SEARCH_BUILD_INTERNAL_H
#define SOUK_SEARCH_BUILD_INTERNAL_H

#include "search/build.h"
#include "search/dict.h"
#include "search/text.h"

#define BUILD_RUNS_MAX 4096
#define K1 1.2			/* BM25F saturation */

/* How often a term is in each field of a product, packed; see field_bits. */
struct posting {
	uint32_t term, doc, counts;
};

struct term_info {
	uint32_t doc, slot;	/* the product seen last, and its posting; doc + 1, 0 for none */
	uint8_t langs;
	bool has_word;
};

struct word_info {
	uint32_t term;
	uint32_t doc, df;	/* last seen in doc - 1 */
	uint8_t title;
};

struct category_info {
	uint64_t id;
	uint32_t *terms;	/* of its path, each as often as it is there */
	uint32_t n, words;
};

struct build {
	struct build_options o;
	char *dir;
	const char *why;
	struct seg_meta meta;
	struct dict terms, words;	/* words: language + 1 as a byte, then the word */
	struct term_info *term;
	struct word_info *word;
	uint32_t term_cap, word_cap;
	struct posting *post;
	size_t posts, post_cap, post_max;
	int run[BUILD_RUNS_MAX];
	uint32_t runs;
	struct column sec[SEC__MAX];
	uint16_t (*len)[FIELD__MAX];	/* words in each field of each product */
	uint32_t len_cap;
	double sum[FIELD__MAX];
	struct category_info *category;
	uint32_t category_cap;
	struct dict category_ids, brands, colours;
	/* the field being read */
	enum seg_field field;
	int lang;
	uint32_t count;
	struct category_info *into;	/* its terms go here instead of into the product */
	bool title;		/* keep the order of its terms */
};

extern const struct field_bits {
	uint8_t shift, bits;
} field_bits[FIELD__MAX];

bool build_fail(struct build *b, const char *why);
/* Room for entry i of an array; new entries are zero. */
bool build_reserve(struct build *b, void **p, uint32_t *cap, uint32_t i, size_t size);
/* One more of a term in the field of the present product. */
bool build_add_term(struct build *b, uint32_t term);
/* The words of a text in the present field. */
void build_read_text(struct build *b, int lang, const char *s, size_t n);
/* {"en": "...", "de": "..."} from PostgreSQL; NULL when there is nothing in it. */
struct json_object *build_object_of(const char *s, size_t n);
void build_attributes(struct build *b, const struct build_row *row, int lang);
bool build_put(struct build *b, enum seg_section sec, const void *p, size_t n);
/* The term of a word in a language; SEG_NONE without memory. */
uint32_t build_term(struct build *b, int lang, const char *s, size_t n, bool in_title);
/* Write the postings in memory as a sorted run. */
bool build_flush(struct build *b);
/* Fill SEC_TERM ... SEC_POST_MAX. */
bool build_merge(struct build *b);
/* Fill SEC_WORD ... and the compounds, before the terms are written. */
bool build_words(struct build *b);
bool build_skus(struct build *b);
bool build_compounds(struct build *b, struct seg_term *t);

#endif
