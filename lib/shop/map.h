/*
 * Rows of a file to products and variants.  The layout is told from the column names: WooCommerce's export, Shopify's export, or
 * souk's own columns with their usual other names (docs/import.md lists them).
 */
#ifndef SOUK_SHOP_MAP_H
#define SOUK_SHOP_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ctx.h"
#include "shop/item.h"
#include "shop/report.h"
#include "shop/source.h"
#include "shop/value.h"

#define MAP_UNMANAGED_STOCK 100	/* of products that a shop sells without counting them */

struct map_options {
	char currency[4];	/* of amounts that name none */
	char locale[3];		/* language of the texts */
	bool locale_given;	/* by the caller, not by default: texts in it may be translations */
	enum decimal decimal;
};

enum map_got { MAP_ITEM, MAP_END, MAP_FAIL /* src->why */ };

struct map;
struct layout {
	const char *name;
	/* Does the header look like this layout? */
	bool (*matches)(const struct row *r);
	/* Put the items of the row into m (map_add); ROW_END asks for what is still held back.  Bad cells go to the report. */
	void (*take)(struct map *m, enum row_got got);
	/* Does it take anything from that column?  NULL: nobody wants to know. */
	bool (*uses)(const struct map *m, size_t column);
};

#define MAP_QUEUE 2304		/* items of one row or group: Shopify's limit is 2,048 variants */

#define MAP_CACHE 256u

struct map {
	struct row_source *src;
	const struct row *row;
	const struct layout *layout;
	struct map_options opt;
	struct report *report;
	struct arena arena;	/* values of the queued items */
	struct item *queue;
	size_t head, tail;
	bool ended;
	struct {
		const char *name;	/* a literal: compared by its address */
		size_t columns, at;
	} cache[MAP_CACHE];	/* of map_cell() */
	bool bad;		/* a cell of the row under way was refused */
	void *state;		/* the layout's, in keep */
	struct arena keep;	/* process lifetime: state, and through arena_defer() what it holds */
};

struct map *map_open(struct row_source *src, const struct map_options *opt, struct report *report);
enum map_got map_next(struct map *m, struct item *out);
void map_close(struct map *m);
/* "WooCommerce", for the summary. */
const char *map_layout(const struct map *m);
/* Names of the columns that mean nothing to the layout, with commas between them, or "". */
void map_unused(const struct map *m, char *out, size_t outsz);

/* ---- for layouts ---- */

extern const struct layout layout_woo, layout_shopify, layout_own;

/* Index of the column of that name (case, blanks, - and _ do not matter); ROW_COLUMNS_MAX when absent. */
size_t map_column(const struct row *r, const char *name);
/* The trimmed cell under that name, a literal; NULL when absent, "" when empty. */
const char *map_cell(struct map *m, const char *name, size_t *n);
/* Refuse the row because of a column. */
void map_bad(struct map *m, const char *column, const char *why);
/* A zeroed item for the row under way; false is never: a full queue refuses the row. */
struct item *map_add(struct map *m);
/* Take back the item added last. */
void map_drop(struct map *m);
/* Values into an item, checked; on error map_bad(). */
void map_text(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, size_t max);
void map_html(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, size_t max);	/* markup becomes plain text */
void map_price(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, enum decimal d);
/* Not on sale when the sale price is the price; bad when it is above. After both. */
void map_sale(struct map *m, struct item *i, const char *column);
void map_whole(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, int64_t lo, int64_t hi);
void map_switch(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n);
void map_images(struct map *m, struct item *i, const char *column, const char *s, size_t n);
void map_category(struct map *m, struct item *i, const char *column, const char *s, size_t n);
void map_json(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n);
const char *map_number(struct map *m, int64_t v, size_t *n);
/* The item's currency: its own, else the default. */
const char *map_currency(const struct map *m, const struct item *i);

#endif
