/*
 * The search of a page.  Public; ENABLE_AI_SEARCH switches it off.
 *
 *   POST /api/ai/search           products for a query in everyday words, what was understood, facets
 *   POST /api/ai/search/suggest   while typing: completions, filters, products
 *   POST /api/ai/search/click     a product of a result was opened
 */
#include "web/route.h"

const struct route routes[] = {
	{ M_POST, "/api/ai/search", .tool = "ai_search" },
	{ M_POST, "/api/ai/search/suggest", .tool = "ai_search_suggest" },
	{ M_POST, "/api/ai/search/click", .tool = "ai_search_click" },
	{ 0 }
};
