/*
 * What a query does not want ("without straw", "ohne Bügel"), looked for in the names of products.
 *
 * A word that stands in a name is unwanted there unless the name itself negates it: "Bottle without Straw", "Sugar Free", "stemless", "ohne
 * Bügel", "bügellos".  Then the product is just what was asked for.
 */
#ifndef SOUK_SEARCH_UNWANTED_H
#define SOUK_SEARCH_UNWANTED_H

#include "search/engine.h"
#include "search/understand.h"

#define UNWANTED_WORDS_MAX 8	/* of an exclusion */
#define UNWANTED_TERMS_MAX 12	/* of a word */
#define UNWANTED_SIGNS_MAX 96

/* Exclusions by words, with the terms that each part has for them. */
struct unwanted;

/* exclude: n exclusions of folded words each; a word that a part does not have is taken for mistyped.  In the arena of c; valid as long as the view. */
const struct unwanted *unwanted_read(struct ctx *c, const struct engine_view *v, const char *const *exclude, unsigned n);

/* Where a product stands for arg, a struct unwanted: behind with all unwanted words of one exclusion, ahead when its name says that it is without. */
enum engine_place unwanted_place(const void *arg, unsigned part, uint32_t doc);

/* A set for each part: products that have one of the words somewhere; all others are in line.  Their names alone have to be read. */
const uint64_t *const *unwanted_suspects(struct ctx *c, const struct unwanted *e);

/* The view without products of n colours that are not wanted. */
const struct engine_view *unwanted_mask(struct ctx *c, const struct engine_view *v, const char *const *colour, unsigned n);

#endif
