/*
 * The tool search_faq: frequent questions by the words of a question, in any of the shop's languages.
 *
 * The question is cut into folded words (search/text.h); stop words and single letters are left out.  PostgreSQL matches stems (shop.faq_search in
 * sql/app/55_service_policies.sql).  A word of which no entry has a stem is replaced by the nearest written word of all entries, by the distances of
 * search/correct.h; every word brings its synonyms (search/synonyms.h).  Entries number in the hundreds, so their words are read when a
 * question has an unknown one.
 */
#ifndef SOUK_SEARCH_FAQ_H
#define SOUK_SEARCH_FAQ_H

#include <stddef.h>

#include "tool/tool.h"

#define FAQ_WORDS_MAX 16	/* of a question; later ones do not count */

/* A word of a list (separated by blanks) that the wrong one was probably meant to be: within 1 edit for words of 4 bytes, 2 for longer ones;
   NULL when none is near.  *n gets its length. */
const char *faq_correct(const char *list, const char *wrong, size_t wrongsz, size_t *n);

enum err search_faq_tool(struct ctx *c, struct tool_call *call);

#endif
