/*
 * The product export of WooCommerce (https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema).  Variations name
 * their product in Parent by SKU or as id:44; products without SKU get woo-<ID>.
 */
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "shop/map.h"

#define ATTRIBUTES_MAX 30

static bool
woo_matches(const struct row *r)
{
	return map_column(r, "Type") < r->columns && map_column(r, "Regular price") < r->columns && map_column(r, "Name") < r->columns &&
	    (map_column(r, "SKU") < r->columns || map_column(r, "ID") < r->columns);
}

static bool
cell_is(struct map *m, const char *name, const char *value)
{
	size_t n;
	const char *s = map_cell(m, name, &n);

	return s != NULL && n == strlen(value) && strncasecmp(s, value, n) == 0;
}

static bool
type_has(struct map *m, const char *type)
{
	size_t n;
	const char *s = map_cell(m, "Type", &n), *at = s != NULL ? memmem(s, n, type, strlen(type)) : NULL;

	return at != NULL && (at == s || at[-1] == ' ' || at[-1] == ',');
}

/* SKU, else woo-<ID>. */
static void
take_identity(struct map *m, struct item *i)
{
	size_t n, idsz;
	const char *sku = map_cell(m, "SKU", &n), *id = map_cell(m, "ID", &idsz);

	if (n > 0)
		map_text(m, i, F_SKU, "SKU", sku, n, 100);
	else if (idsz > 0 && idsz < 20)
		item_set(i, F_SKU, arena_printf(&m->arena, "woo-%.*s", (int)idsz, id), idsz + 4);
	else
		map_bad(m, "SKU", "is missing, and so is the ID");
	if (idsz > 0 && idsz < 20)
		i->reference = arena_printf(&m->arena, "id:%.*s", (int)idsz, id);
}

static void
take_stock(struct map *m, struct item *i)
{
	size_t n, there;
	const char *s = map_cell(m, "Stock", &n), *in = map_cell(m, "In stock?", &there);

	if (n > 0) {
		if (!memchr(s, 'p', n))		/* "parent": the product's stock is meant */
			map_whole(m, i, F_STOCK, "Stock", s, n, INT32_MIN, INT32_MAX);
	} else if (in != NULL && there > 0 && !(type_has(m, "variable") && !i->variant)) {
		bool yes = in[0] == '1' || in[0] == 'y' || in[0] == 'Y';

		s = map_number(m, yes ? MAP_UNMANAGED_STOCK : 0, &n);
		item_set(i, F_STOCK, s, n);
	}
}

/* "Clothing > Hoodies, Sale": the first is the product's, the rest is kept as an attribute.  A comma of a name is "\,". */
static void
take_categories(struct map *m, struct item *i, struct buf *rest)
{
	size_t n, k, from = 0;
	const char *s = map_cell(m, "Categories", &n);
	struct buf one;
	bool first = true;

	for (k = 0; s != NULL && k <= n; k++) {
		if (k < n && !(s[k] == ',' && (k == 0 || s[k - 1] != '\\')))
			continue;
		buf_init(&one, &m->arena, k - from + 1, 8192);
		for (; from < k && one.n < 4096; from++) {
			if (!(s[from] == '\\' && from + 1 < n && s[from + 1] == ','))
				buf_putc(&one, s[from]);
		}
		from = k + 1;
		if (first)
			map_category(m, i, "Categories", buf_str(&one), one.n);
		else if (one.n > 0)
			buf_puts(rest, rest->n > 0 ? ", " : ""), buf_puts(rest, one.p + (one.p[0] == ' '));
		first = false;
	}
}

static bool
is_colour(const char *s, size_t n)
{
	static const char *const words[] = { "color", "colour", "couleur", "farbe" };
	size_t k;

	for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
		if (strlen(words[k]) == n && strncasecmp(words[k], s, n) == 0)
			return true;
	}
	return false;
}

static void
add_pair(struct buf *b, const char *key, size_t keysz, const char *value, size_t valuesz)
{
	buf_putc(b, b->n == 0 ? '{' : ',');
	buf_json_string(b, key, keysz);
	buf_putc(b, ':');
	buf_json_string(b, value, valuesz);
}

/* Attributes of a product, options of a variation. */
static void
take_attributes(struct map *m, struct item *i, const struct buf *categories)
{
	size_t name, value, tags, k;
	const char *n, *v, *t = map_cell(m, "Tags", &tags);
	char column[40];
	struct buf b;
	int no;

	buf_init(&b, &m->arena, 256, 1u << 20);
	for (no = 1; no <= ATTRIBUTES_MAX; no++) {
		snprintf(column, sizeof(column), "Attribute %d name", no);
		if ((k = map_column(m->row, column)) == ROW_COLUMNS_MAX)
			break;
		n = row_cell(m->row, k, &name);
		snprintf(column, sizeof(column), "Attribute %d value(s)", no);
		v = row_cell(m->row, map_column(m->row, column), &value);
		if (n == NULL || v == NULL)
			continue;
		value_trim(&n, &name);
		value_trim(&v, &value);
		if (name == 0 || value == 0)
			continue;
		add_pair(&b, n, name, v, value);
		if (!i->variant && is_colour(n, name) && memchr(v, ',', value) == NULL && memchr(v, '|', value) == NULL)
			map_text(m, i, F_COLOUR, column, v, value, 200);
	}
	if (!i->variant && tags > 0)
		add_pair(&b, "Tags", 4, t, tags);
	if (!i->variant && categories->n > 0)
		add_pair(&b, "Categories", 10, categories->p, categories->n);
	buf_puts(&b, b.n == 0 ? "{}" : "}");
	item_set(i, i->variant ? F_OPTIONS : F_ATTRIBUTES, b.p, b.n);
}

static void
take_product(struct map *m, struct item *i)
{
	size_t n, k;
	const char *s = map_cell(m, "Published", &n), *v;
	bool shown = n == 0 || (s[0] != '0' && s[0] != '-');
	struct buf rest;

	if (s != NULL)
		item_set(i, F_STATUS, shown ? "active" : "deleted", shown ? 6 : 7);
	s = map_cell(m, "Name", &n);
	map_html(m, i, F_NAME, "Name", s, n, 1000);
	if (s != NULL && i->v[F_NAME] == NULL)
		map_bad(m, "Name", "is missing");
	s = map_cell(m, "Description", &n);
	if (n == 0 && (v = map_cell(m, "Short description", &k)) != NULL && k > 0) {
		s = v;
		n = k;
	}
	map_html(m, i, F_DESCRIPTION, "Description", s, n, 1u << 20);
	s = map_cell(m, "Is featured?", &n);
	map_switch(m, i, F_FEATURED, "Is featured?", s, n);
	s = map_cell(m, "Brands", &n);
	map_text(m, i, F_BRAND, "Brands", s, n, 200);
	s = map_cell(m, "Images", &n);
	map_images(m, i, "Images", s, n);
	buf_init(&rest, &m->arena, 64, 8192);
	take_categories(m, i, &rest);
	take_attributes(m, i, &rest);
}

static void
take_variation(struct map *m, struct item *i)
{
	struct buf none = { 0 };
	size_t n;
	const char *s = map_cell(m, "Parent", &n);

	map_text(m, i, F_PARENT, "Parent", s, n, 100);
	if (i->v[F_PARENT] == NULL)
		map_bad(m, "Parent", "is missing: whose variation is this?");
	s = map_cell(m, "Position", &n);
	map_whole(m, i, F_POSITION, "Position", s, n, INT16_MIN, INT16_MAX);
	take_attributes(m, i, &none);
}

static void
woo_take(struct map *m, enum row_got got)
{
	struct item *i;
	size_t n;
	const char *s;

	if (got != ROW_OK)
		return;
	i = map_add(m);
	i->variant = type_has(m, "variation");
	i->derive = i->variant;
	take_identity(m, i);
	if (i->variant)
		take_variation(m, i);
	else
		take_product(m, i);
	take_stock(m, i);
	/* a variable product has no price of its own: it gets that of its cheapest variation */
	if (i->variant || !type_has(m, "variable")) {
		s = map_cell(m, "Regular price", &n);
		map_price(m, i, F_PRICE, "Regular price", s, n, DECIMAL_POINT);
		s = map_cell(m, "Sale price", &n);
		map_price(m, i, F_SALE, "Sale price", s, n, DECIMAL_POINT);
		map_sale(m, i, "Sale price");
	}
	if (cell_is(m, "Type", "") || m->bad)
		map_drop(m);
	if (cell_is(m, "Type", ""))
		map_bad(m, "Type", "is missing");
}

const struct layout layout_woo = { "WooCommerce export", woo_matches, woo_take, NULL };
