/*
 * Queries that the built-in parser could not read, read by a language model: off without AI_SEARCH_MODEL.
 *
 * A model whose name begins with "claude" is asked over Anthropic's Messages interface (ANTHROPIC_URL, ANTHROPIC_API_KEY; a forced tool call), any
 * other over OpenAI's Chat Completions (OPENAI_URL, OPENAI_API_KEY; a strict JSON schema).  It gets the query, the shop's languages and categories,
 * and nothing about the speaker.  What it answers is checked against the schema and only ever becomes words and filters of a search.
 */
#ifndef SOUK_SEARCH_MODEL_H
#define SOUK_SEARCH_MODEL_H

#include "search/search.h"

#define MODEL_CATEGORIES_MAX 80		/* that it is told */

/* Is one configured? */
bool model_is_on(void);

/*
 * Ask for words and filters of q->text within AI_SEARCH_TIMEOUT_MS; *out is q with them, where q has none of its own, and understand off.  false: no
 * model, no answer in time, or none that holds to the schema; the log tells why, c has no error then.
 */
bool model_read(struct ctx *c, const struct search_query *q, const struct engine_view *v, struct search_query *out);

#endif
