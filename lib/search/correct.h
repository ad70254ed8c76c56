/*
 * Words that the index does not know.
 *
 * Candidates are all words of the vocabulary within an edit distance of 2 (1 for words of fewer than 5 characters), where a transposition of
 * neighbours counts as one edit (optimal string alignment: Damerau 1964, Boytsov 2011).  They are ranked by
 * distance - 0.15 ln(products) - 0.5 for the same first letter.  The scan compares sets of letters first: an edit takes at most one letter out
 * of the set and puts at most one in.
 */
#ifndef SOUK_SEARCH_CORRECT_H
#define SOUK_SEARCH_CORRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/segment.h"

/* The set of characters of a word: one bit for each of a to z, six for the rest. */
uint32_t correct_letters(const char *s, size_t n);

/* Edit distance of two words, max + 1 when it is larger than max. */
unsigned correct_distance(const char *a, size_t an, const char *b, size_t bn, unsigned max);

struct correct_guess {
	const char *s;		/* in the segment */
	size_t n;
	unsigned distance;
	double cost;		/* the lower, the likelier */
	uint32_t df;
};

/* Better the guess by the words of one segment; guess starts with s NULL.  Edits: 1 for words of fewer than 5 characters, else 2. */
void correct_word(const struct seg *s, const char *word, size_t n, struct correct_guess *guess);
/* The same within max edits, at most 3. */
void correct_within(const struct seg *s, const char *word, size_t n, unsigned max, struct correct_guess *guess);

#endif
