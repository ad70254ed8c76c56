/*
 * One product or variant on its way into the database: values as text, by field.  A field that the file does not speak of is not in
 * has, and an import leaves it as it is; one that is there but empty is in has with NULL, and is cleared.
 */
#ifndef SOUK_SHOP_ITEM_H
#define SOUK_SHOP_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/* In the order of the columns of import_row (sql/query/import_row.sql), which knows the bits as 1 << field. */
enum field {
	F_SKU, F_PARENT, F_NAME, F_LANG, F_SLUG, F_BRAND, F_COLOUR, F_CATEGORY, F_DESCRIPTION, F_PRICE, F_SALE, F_CURRENCY, F_STOCK,
	F_FEATURED, F_STATUS, F_RATING, F_RATING_COUNT, F_NAMES, F_COLOURS, F_DESCRIPTIONS, F_IMAGES, F_ATTRIBUTES, F_OPTIONS,
	F_POSITION, F__MAX
};

struct item {
	int64_t line;
	bool variant;		/* F_PARENT names its product */
	bool derive;		/* the product's price is that of its cheapest variant */
	uint32_t has;		/* bits of fields that the file speaks of */
	const char *v[F__MAX];	/* NULL: empty */
	size_t n[F__MAX];
	const char *reference;	/* another name that variants use for this product ("id:44"), or NULL */
};

#define FIELD_BIT(f) (1u << (f))

static inline void
item_set(struct item *i, enum field f, const char *v, size_t n)
{
	i->has |= FIELD_BIT(f);
	i->v[f] = n > 0 ? v : NULL;
	i->n[f] = n;
}

#endif
