/* What was understood, as JSON for answers. */
#ifndef SOUK_SEARCH_UNDERSTAND_JSON_H
#define SOUK_SEARCH_UNDERSTAND_JSON_H

#include "core/buf.h"
#include "search/understand.h"

/* One object: words, category, priceLevel ("low", "high"), minPrice, maxPrice, namedCurrency, colour, sizes, styles, exclude, inStock,
   minRating, sortBy; only words is always there. */
void understand_put_intent(struct buf *b, const struct understood *u);

#endif
