/*
 * Suggestions while a query is typed, from the index.
 *
 * The last word is unfinished: completions are the most frequent words of names, brands, colours and categories that begin so, after the words
 * before it, where products have them together.  When none begins so, the prefix one edit away (Damerau) with the most frequent word is
 * taken.  Categories are those with a word of their name that begins so.
 */
#ifndef SOUK_SEARCH_SUGGEST_H
#define SOUK_SEARCH_SUGGEST_H

#include "search/engine.h"
#include "search/understand.h"

#define SUGGEST_MAX 8
#define SUGGEST_CATEGORIES 4
#define SUGGEST_WORDS_MAX 16	/* before the last one */

struct suggestions {
	const char *completion[SUGGEST_MAX];	/* whole queries, most frequent first */
	unsigned n;
	struct understand_category category[SUGGEST_CATEGORIES];
	unsigned categories;
	const char *text;	/* the query to show products for: the first completion, unless the last word is one */
};

/* Everything is in c's arena. */
void suggest(struct ctx *c, const struct engine_view *v, const char *query, const char *locale, struct suggestions *out);

#endif
