/*
 * Words that mean nearly the same: a built-in set for common things of shops (words/synonyms.def), and what the owner writes into the table
 * shop.search_synonyms.  A row there replaces what is built in for its word; an empty list takes it away.  Single words, compared folded.
 *
 * The table is read at most once a minute and kept as long as the process.
 */
#ifndef SOUK_SEARCH_SYNONYMS_H
#define SOUK_SEARCH_SYNONYMS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"

#define SYNONYMS_MAX 16		/* of one word */
#define SYNONYMS_ROWS_MAX 20000	/* of the table that count */

struct synonym {
	const char *s;		/* folded; valid until the next refresh */
	size_t n;
};

/* The synonyms of a folded word, without itself; how many. */
size_t synonyms_of(const char *word, size_t n, struct synonym out[SYNONYMS_MAX]);

/* Read the table when it is time.  Errors of the store. */
enum err synonyms_refresh(struct ctx *c) __attribute__((warn_unused_result));

/* Take these instead of the table: a JSON object of words to arrays of words, NULL for none.  false: it is none. */
bool synonyms_set(const char *json);

#endif
