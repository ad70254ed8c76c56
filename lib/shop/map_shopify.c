/*
 * The product export of Shopify (https://help.shopify.com/en/manual/products/import-export/using-csv).  One product takes several
 * rows of the same Handle: its variants and further pictures.  A group is held until the next Handle, in one of two
 * arenas, so that the finished group can be handed out while the new one begins.
 */
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "shop/map.h"

#define GROUP_MAX (16u << 20)

struct shopify {
	struct arena a[2];
	int now;
	char handle[256];
	bool open, bad, single;		/* single: "Default Title", a product without variants */
	struct item product;
	struct item variant[MAP_QUEUE];
	size_t variants;
	const char *option[3];		/* names */
	struct buf images;
	int pictures;
};

static bool
shopify_matches(const struct row *r)
{
	return map_column(r, "Handle") < r->columns && map_column(r, "Variant Price") < r->columns;
}

static void
release(void *p)
{
	struct shopify *g = p;

	arena_release(&g->a[0]);
	arena_release(&g->a[1]);
}

static struct shopify *
state(struct map *m)
{
	struct shopify *g = m->state;

	if (g == NULL) {
		m->state = g = arena_zalloc(&m->keep, 1, sizeof(*g));
		arena_init(&g->a[0], GROUP_MAX);
		arena_init(&g->a[1], GROUP_MAX);
		arena_defer(&m->keep, release, g);
	}
	return g;
}

/* Values of the row under way are copied, since the group outlives it. */
static void
keep_values(struct shopify *g, struct item *i)
{
	int f;

	for (f = 0; f < F__MAX; f++) {
		if (i->v[f] != NULL)
			i->v[f] = arena_strndup(&g->a[g->now], i->v[f], i->n[f]);
	}
}

/* Hand the group out: the product, then its variants. */
static void
finish(struct map *m, struct shopify *g)
{
	static const enum field moved[] = { F_SKU, F_PRICE, F_SALE, F_STOCK };
	struct item *p = &g->product;
	size_t i;

	if (!g->open)
		return;
	g->open = false;
	if (g->bad)
		return;
	if (g->pictures > 0) {
		buf_putc(&g->images, ']');
		item_set(p, F_IMAGES, g->images.p, g->images.n);
	}
	for (i = 0; g->single && g->variants == 1 && i < sizeof(moved) / sizeof(moved[0]); i++) {
		if (g->variant[0].has & FIELD_BIT(moved[i]) && (g->variant[0].v[moved[i]] != NULL || moved[i] != F_SKU))
			item_set(p, moved[i], g->variant[0].v[moved[i]], g->variant[0].n[moved[i]]);
	}
	*map_add(m) = *p;
	for (i = 0; i < g->variants && !(g->single && g->variants == 1); i++) {
		struct item *v = &g->variant[i];

		if (v->v[F_SKU] == NULL) {
			const char *made = arena_printf(&g->a[g->now], "%s-%zu", g->handle, i + 1);

			item_set(v, F_SKU, made, strlen(made));
		}
		*map_add(m) = *v;
	}
}

static void
take_product(struct map *m, struct shopify *g)
{
	static const char *const columns[] = { "Option1 Name", "Option2 Name", "Option3 Name" };
	struct item *i = map_add(m);
	struct buf b;
	size_t n, k;
	const char *s;
	bool shown = true;

	item_set(i, F_SKU, g->handle, strlen(g->handle));
	item_set(i, F_SLUG, g->handle, strlen(g->handle));
	s = map_cell(m, "Title", &n);
	map_html(m, i, F_NAME, "Title", s, n, 1000);
	if (i->v[F_NAME] == NULL)
		map_bad(m, "Title", "is missing");
	s = map_cell(m, "Body (HTML)", &n);
	map_html(m, i, F_DESCRIPTION, "Body (HTML)", s, n, 1u << 20);
	s = map_cell(m, "Vendor", &n);
	map_text(m, i, F_BRAND, "Vendor", s, n, 200);
	s = map_cell(m, "Product Category", &n);
	if (n == 0)
		s = map_cell(m, "Type", &n);
	map_category(m, i, "Type", s, n);
	s = map_cell(m, "Published", &n);
	if (n > 0)
		shown = s[0] != 'f' && s[0] != 'F' && s[0] != '0';
	s = map_cell(m, "Status", &n);
	if (n > 0)
		shown = shown && n == 6 && strncasecmp(s, "active", 6) == 0;
	item_set(i, F_STATUS, shown ? "active" : "deleted", shown ? 6 : 7);
	if ((s = map_cell(m, "Tags", &n)) != NULL) {
		buf_init(&b, &m->arena, n + 16, 1u << 20);
		buf_puts(&b, "{");
		if (n > 0) {
			buf_puts(&b, "\"Tags\":");
			buf_json_string(&b, s, n);
		}
		buf_puts(&b, "}");
		item_set(i, F_ATTRIBUTES, b.p, b.n);
	}
	for (k = 0; k < 3; k++) {
		s = map_cell(m, columns[k], &n);
		g->option[k] = n > 0 ? arena_strndup(&g->a[g->now], s, n) : NULL;
	}
	keep_values(g, i);
	g->product = *i;
	g->bad = m->bad;
	map_drop(m);
}

static void
take_price(struct map *m, struct item *i)
{
	size_t n, was_n;
	const char *now = map_cell(m, "Variant Price", &n), *was = map_cell(m, "Variant Compare At Price", &was_n), *why;
	int64_t a, b;

	if (now == NULL)
		return;
	/* the price before is only one when it is above today's */
	if (was_n > 0 && value_amount(now, n, 4, DECIMAL_POINT, false, &a, &why) && value_amount(was, was_n, 4, DECIMAL_POINT, false, &b, &why) &&
	    b > a) {
		map_price(m, i, F_PRICE, "Variant Compare At Price", was, was_n, DECIMAL_POINT);
		map_price(m, i, F_SALE, "Variant Price", now, n, DECIMAL_POINT);
		return;
	}
	map_price(m, i, F_PRICE, "Variant Price", now, n, DECIMAL_POINT);
	item_set(i, F_SALE, NULL, 0);
}

static void
take_stock(struct map *m, struct item *i)
{
	size_t n, tracked;
	const char *s = map_cell(m, "Variant Inventory Qty", &n), *by = map_cell(m, "Variant Inventory Tracker", &tracked);

	if (by != NULL && tracked == 0) {
		s = map_number(m, MAP_UNMANAGED_STOCK, &n);
		item_set(i, F_STOCK, s, n);
	} else if (n > 0) {
		map_whole(m, i, F_STOCK, "Variant Inventory Qty", s, n, INT32_MIN, INT32_MAX);
	}
}

static void
take_options(struct map *m, struct shopify *g, struct item *i)
{
	static const char *const columns[] = { "Option1 Value", "Option2 Value", "Option3 Value" };
	struct buf b;
	size_t k, n;
	const char *s;

	buf_init(&b, &m->arena, 128, 65536);
	for (k = 0; k < 3; k++) {
		s = map_cell(m, columns[k], &n);
		if (n == 0 || g->option[k] == NULL)
			continue;
		buf_putc(&b, b.n == 0 ? '{' : ',');
		buf_json_cstr(&b, g->option[k]);
		buf_putc(&b, ':');
		buf_json_string(&b, s, n);
		if (k == 0)
			g->single = g->variants == 0 && n == 13 && memcmp(s, "Default Title", 13) == 0;
	}
	buf_puts(&b, b.n == 0 ? "{}" : "}");
	item_set(i, F_OPTIONS, b.p, b.n);
}

/* A row is a variant when it has a price or an option; else it only brings a picture. */
static void
take_variant(struct map *m, struct shopify *g)
{
	size_t price, option, n;
	struct item *i;
	const char *s;

	map_cell(m, "Variant Price", &price);
	map_cell(m, "Option1 Value", &option);
	if (price == 0 && option == 0)
		return;
	i = map_add(m);
	i->variant = i->derive = true;
	item_set(i, F_PARENT, g->handle, strlen(g->handle));
	s = map_cell(m, "Variant SKU", &n);
	if (n > 0 && s[0] == '\'') {	/* Shopify keeps spreadsheets from making numbers of SKUs */
		s++;
		n--;
	}
	map_text(m, i, F_SKU, "Variant SKU", s, n, 100);
	take_price(m, i);
	take_stock(m, i);
	take_options(m, g, i);
	s = map_number(m, (int64_t)g->variants, &n);
	item_set(i, F_POSITION, s, n);
	keep_values(g, i);
	if (g->variants == MAP_QUEUE - 2)
		map_bad(m, NULL, "belongs to a product with too many variants");
	else if (!m->bad)
		g->variant[g->variants++] = *i;
	map_drop(m);
}

static void
take_picture(struct map *m, struct shopify *g)
{
	size_t n, alt;
	const char *s = map_cell(m, "Image Src", &n), *text = map_cell(m, "Image Alt Text", &alt), *why;
	struct buf check;

	if (n == 0)
		return;
	buf_init(&check, &m->arena, n + 32, 8192);
	if (n > 2000 || !value_images(&check, s, n, &why)) {
		map_bad(m, "Image Src", "is not a web address");
		return;
	}
	buf_puts(&g->images, g->pictures++ == 0 ? "[" : ",");
	buf_puts(&g->images, "{\"url\":");
	buf_json_string(&g->images, s, n);
	if (alt > 0) {
		buf_puts(&g->images, ",\"alt\":");
		buf_json_string(&g->images, text, alt);
	}
	buf_putc(&g->images, '}');
}

static void
shopify_take(struct map *m, enum row_got got)
{
	struct shopify *g = state(m);
	size_t n = 0;
	const char *s = got == ROW_OK ? map_cell(m, "Handle", &n) : NULL;

	if (got == ROW_OK && (n == 0 || n > 100)) {
		map_bad(m, "Handle", n == 0 ? "is missing" : "is longer than 100 characters");
		return;
	}
	if (got != ROW_OK || !g->open || strlen(g->handle) != n || memcmp(g->handle, s, n) != 0) {
		finish(m, g);
		if (got != ROW_OK)
			return;
		g->now = !g->now;
		arena_reset(&g->a[g->now]);
		snprintf(g->handle, sizeof(g->handle), "%.*s", (int)n, s);
		g->open = true;
		g->single = false;
		g->variants = 0;
		g->pictures = 0;
		buf_init(&g->images, &g->a[g->now], 256, 1u << 20);
		take_product(m, g);
	}
	if (g->bad) {
		map_bad(m, "Handle", "belongs to a product that was refused");
		return;
	}
	take_variant(m, g);
	take_picture(m, g);
}

const struct layout layout_shopify = { "Shopify export", shopify_matches, shopify_take, NULL };
