/*
 * Building a segment: categories in the order of their paths, then products in the order of their ids, then build_finish().
 *
 * Postings gather in memory and are written to sorted runs in unlinked files when they reach half of the memory limit; the runs are merged at
 * the end.  What cannot be bounded that way grows with the catalogue: the vocabulary and 12 bytes for each product.
 * With dir NULL everything stays in memory (the few products that changed lately).
 */
#ifndef SOUK_SEARCH_BUILD_H
#define SOUK_SEARCH_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/segment.h"

/* Columns of shop.search_rows in their order, as PostgreSQL's text; NULL where SQL has NULL. */
enum build_col {
	ROW_ID, ROW_SKU, ROW_LANG, ROW_NAME, ROW_NAMES, ROW_BRAND, ROW_COLOUR, ROW_COLOURS, ROW_CATEGORY, ROW_DESCRIPTION, ROW_DESCRIPTIONS,
	ROW_ATTRIBUTES, ROW_PAYS, ROW_CURRENCY, ROW_STOCK, ROW_RATING, ROW_RATING_COUNT, ROW_FEATURED, ROW_CREATED, ROW_SOLD, ROW__MAX
};
/* The same of shop.search_categories. */
enum build_category_col { CAT_ID, CAT_PARENT, CAT_SLUG, CAT_NAME, CAT_NAMES, CAT__MAX };

struct build_row {
	const char *v[ROW__MAX];
	size_t n[ROW__MAX];
};

struct build_options {
	const char *dir;	/* for what does not fit into memory; NULL: none */
	size_t memory;		/* bytes */
	const struct seg *like;	/* take means of field lengths and languages from this segment; NULL: count them */
	int main_lang;		/* number of the language of category names, brands ... */
	uint64_t change;	/* for the header */
};

struct build;

struct build *build_new(const struct build_options *o);
/* false: no memory or disk; build_why() tells. */
bool build_category(struct build *b, const struct build_row *row);
bool build_product(struct build *b, const struct build_row *row);
/* Write the segment to fd, which is empty. */
bool build_finish(struct build *b, int fd);
uint32_t build_docs(const struct build *b);
const char *build_why(const struct build *b);
void build_free(struct build *b);

#endif
