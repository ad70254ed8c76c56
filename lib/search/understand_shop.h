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
 * colour and category are left out, and when that finds nothing either, the plain text is searched.  u gets what was understood; its items tell
 * what was applied.
 */
void understand_search(struct ctx *c, const struct engine_view *v, const struct engine_query *q, struct engine_result *out,
	struct understood *u);
/* Was an item of that kind applied? */
bool understand_applied(const struct understood *u, enum understand_kind kind);

/* The name of a category, by its slug (n bytes), in the locale or else the first one; NULL when it is gone. */
const char *understand_category_name(const struct engine_view *v, const char *slug, size_t n, const char *locale);
/* The same by its number in the first part. */
const char *understand_category_named(const struct seg *s, uint32_t id, const char *locale);

/* Has the colour that folded name in any language, or, with part, a name with that word in it? */
bool understand_colour_is(const struct seg *s, uint32_t colour, const char *folded, size_t n, bool part);

#endif
