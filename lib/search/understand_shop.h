/*
 * Understanding with the index: what the shop has (categories, colours, brands, names), and the search with what was understood.
 *
 * Names are looked up in sorted arrays of hashes that are made once for each index file and live as long as the process maps it: 8 bytes for
 * each name.  What changed since the file was built is not in them.
 */
#ifndef SOUK_SEARCH_UNDERSTAND_SHOP_H
#define SOUK_SEARCH_UNDERSTAND_SHOP_H

#include "search/engine.h"
#include "search/understand.h"

#define UNDERSTAND_COLOURS_MAX 256	/* a shop with more has no fixed list of colours: they stay words */

/* Fill out from the index; without a currency it is SHOP_CURRENCY.  Valid as long as the view. */
void understand_shop_of(const struct engine_view *v, struct understand_shop *out);

/*
 * Search for what the text of q says: engine_search() with the filters and the order that were understood where q gives none, and without the
 * products that are not wanted.  "cheap" and "luxury" become a price that two fifths of the 100 best matches keep.  When nothing is found so,
 * the plain text is searched, and *applied is false.  u gets what was understood.
 */
void understand_search(struct ctx *c, const struct engine_view *v, const struct engine_query *q, struct engine_result *out,
	struct understood *u, bool *applied);

#endif
