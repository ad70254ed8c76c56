/*
 * souk's own columns, under the names people give them.  Texts in further languages have a suffix (name_en, description.de).
 * A row with a parent is a variant of that product.
 */
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "core/money.h"
#include "shop/map.h"

enum extra { X_IGNORED = -1, X_AVAILABLE = F__MAX, X_ID, X_IMAGE_MORE };

/* Names as plain(): lower case letters and digits.  The first that a file has counts. */
static const struct {
	const char *name;
	int field;
} names[] = {
	{ "sku", F_SKU }, { "reference", F_SKU }, { "ref", F_SKU }, { "r\xc3\xa9" "f", F_SKU }, { "r\xc3\xa9" "f\xc3\xa9rence", F_SKU }, { "articlenumber", F_SKU },
	{ "artikelnummer", F_SKU }, { "productcode", F_SKU }, { "referencia", F_SKU }, { "stockcode", F_SKU },
	{ "parentsku", F_PARENT }, { "parent", F_PARENT }, { "itemgroupid", F_PARENT },
	{ "name", F_NAME }, { "title", F_NAME }, { "productname", F_NAME }, { "nom", F_NAME }, { "titre", F_NAME }, { "nombre", F_NAME },
	{ "bezeichnung", F_NAME }, { "libelle", F_NAME }, { "libell\xc3\xa9", F_NAME },
	{ "lang", F_LANG }, { "language", F_LANG }, { "langue", F_LANG },
	{ "slug", F_SLUG }, { "urlkey", F_SLUG },
	{ "brand", F_BRAND }, { "marque", F_BRAND }, { "marke", F_BRAND }, { "marca", F_BRAND }, { "vendor", F_BRAND }, { "manufacturer", F_BRAND },
	{ "colour", F_COLOUR }, { "color", F_COLOUR }, { "couleur", F_COLOUR }, { "farbe", F_COLOUR },
	{ "category", F_CATEGORY }, { "categorypath", F_CATEGORY }, { "categorie", F_CATEGORY }, { "cat\xc3\xa9gorie", F_CATEGORY },
	{ "kategorie", F_CATEGORY }, { "categoria", F_CATEGORY }, { "producttype", F_CATEGORY }, { "categories", F_CATEGORY },
	{ "description", F_DESCRIPTION }, { "beschreibung", F_DESCRIPTION }, { "descripcion", F_DESCRIPTION },
	{ "price", F_PRICE }, { "prix", F_PRICE }, { "preis", F_PRICE }, { "precio", F_PRICE }, { "regularprice", F_PRICE },
	{ "saleprice", F_SALE }, { "prixpromo", F_SALE }, { "prixsold\xc3\xa9", F_SALE }, { "specialprice", F_SALE },
	{ "currency", F_CURRENCY }, { "devise", F_CURRENCY }, { "w\xc3\xa4hrung", F_CURRENCY },
	{ "stock", F_STOCK }, { "quantity", F_STOCK }, { "qty", F_STOCK }, { "quantit\xc3\xa9", F_STOCK }, { "quantite", F_STOCK },
	{ "inventory", F_STOCK }, { "bestand", F_STOCK },
	{ "featured", F_FEATURED }, { "status", F_STATUS }, { "active", F_STATUS }, { "published", F_STATUS },
	{ "rating", F_RATING }, { "ratingcount", F_RATING_COUNT }, { "reviews", F_RATING_COUNT },
	{ "names", F_NAMES }, { "colours", F_COLOURS }, { "descriptions", F_DESCRIPTIONS },
	{ "images", F_IMAGES }, { "image", F_IMAGES }, { "imagelink", F_IMAGES }, { "imageurl", F_IMAGES }, { "additionalimagelink", X_IMAGE_MORE },
	{ "attributes", F_ATTRIBUTES }, { "options", F_OPTIONS }, { "position", F_POSITION },
	{ "availability", X_AVAILABLE }, { "instock", X_AVAILABLE }, { "id", X_ID }
};

struct own {
	int field[ROW_COLUMNS_MAX];
	char lang[ROW_COLUMNS_MAX][3];	/* of name_fr; "" without */
	size_t known;			/* columns looked at */
	size_t first[X_IMAGE_MORE + 1];	/* the column of each field, plus one; 0: none */
};

static size_t
plain(const char *s, char *out, size_t outsz)
{
	size_t n = 0;

	for (; *s != '\0' && n + 1 < outsz; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
			out[n++] = (char)c;
	}
	out[n] = '\0';
	return n;
}

static int
find_field(const char *name)
{
	char p[ROW_NAME_MAX + 1];
	size_t i;

	plain(name, p, sizeof(p));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, p) == 0)
			return names[i].field;
	}
	return X_IGNORED;
}

/* name_fr, description.en, color-de: field and language. */
static int
find_translated(const char *name, char lang[3])
{
	size_t n = strlen(name);
	char base[ROW_NAME_MAX + 1];
	int f;

	if (n < 6 || strchr("_.- ", name[n - 3]) == NULL)
		return X_IGNORED;
	memcpy(base, name, n - 3);
	base[n - 3] = '\0';
	f = find_field(base);
	if (f != F_NAME && f != F_DESCRIPTION && f != F_COLOUR)
		return X_IGNORED;
	lang[0] = (char)(name[n - 2] | 32);
	lang[1] = (char)(name[n - 1] | 32);
	lang[2] = '\0';
	return lang[0] >= 'a' && lang[0] <= 'z' && lang[1] >= 'a' && lang[1] <= 'z' ? f : X_IGNORED;
}

static bool
own_matches(const struct row *r)
{
	bool id = false, name = false;
	size_t i;
	int f;

	for (i = 0; i < r->columns; i++) {
		f = find_field(r->name[i]);
		if (f == F_SKU)
			return true;
		id |= f == X_ID;
		name |= f == F_NAME;
	}
	return id && name;
}

/* Look at columns that are new (JSON may bring some with any row). */
static struct own *
columns(struct map *m)
{
	struct own *o = m->state;
	const struct row *r = m->row;

	if (o == NULL)
		m->state = o = arena_zalloc(&m->keep, 1, sizeof(*o));
	for (; o->known < r->columns; o->known++) {
		size_t i = o->known;

		o->field[i] = find_field(r->name[i]);
		if (o->field[i] == X_IGNORED)
			o->field[i] = find_translated(r->name[i], o->lang[i]);
		if (o->field[i] >= 0 && o->lang[i][0] == '\0' && o->first[o->field[i]] == 0)
			o->first[o->field[i]] = i + 1;
	}
	return o;
}

static const char *
cell(struct map *m, const struct own *o, int field, size_t *n, const char **column)
{
	const char *s;

	*n = 0;
	if (o->first[field] == 0)
		return NULL;
	*column = m->row->name[o->first[field] - 1];
	if ((s = row_cell(m->row, o->first[field] - 1, n)) != NULL)
		value_trim(&s, n);
	return s;
}

static void
take_language(struct map *m, struct item *i, const char *s, size_t n, const char *column)
{
	if (s == NULL || n == 0)
		return;
	if (n < 2 || (n > 2 && s[2] != '-' && s[2] != '_') || n > 8) {
		map_bad(m, column, "is not a language such as fr");
		return;
	}
	char *two = arena_strndup(&m->arena, s, 2);

	two[0] = (char)(two[0] | 32);
	two[1] = (char)(two[1] | 32);
	item_set(i, F_LANG, two, 2);
}

static void
take_currency(struct map *m, struct item *i, const char *s, size_t n, const char *column)
{
	char code[4];

	if (s == NULL || n == 0)
		return;
	memcpy(code, n == 3 ? s : "???", 3);
	code[3] = '\0';
	if (money_scale(code) < 0)
		map_bad(m, column, "is not a currency such as EUR");
	else
		item_set(i, F_CURRENCY, s, 3);
}

static void
take_status(struct map *m, struct item *i, const char *s, size_t n, const char *column)
{
	static const char *const off[] = { "deleted", "draft", "archived", "inactive", "hidden", "private", "unpublished" };
	static const char *const on[] = { "active", "publish", "published", "visible" };
	const char *why;
	bool active = true;
	size_t k;

	if (s == NULL)
		return;
	for (k = 0; k < sizeof(on) / sizeof(on[0]); k++) {
		if (strlen(on[k]) == n && strncasecmp(on[k], s, n) == 0)
			n = 0;
	}
	for (k = 0; n > 0 && k < sizeof(off) / sizeof(off[0]); k++) {
		if (strlen(off[k]) == n && strncasecmp(off[k], s, n) == 0) {
			active = false;
			n = 0;
		}
	}
	if (n > 0 && !value_bool(s, n, &active, &why)) {
		map_bad(m, column, "is not a status such as active or deleted");
		return;
	}
	item_set(i, F_STATUS, active ? "active" : "deleted", active ? 6 : 7);
}

static void
take_availability(struct map *m, struct item *i, const char *s, size_t n, const char *column)
{
	const char *why;
	bool there = false;

	if (s == NULL || n == 0 || (i->has & FIELD_BIT(F_STOCK)) != 0)
		return;
	if (n >= 8 && (s[2] == ' ' || s[2] == '_') && strncasecmp(s, "in", 2) == 0)
		there = true;
	else if (!(n > 8 && strncasecmp(s, "out", 3) == 0) && strncasecmp(s, "preorder", n) != 0 && !value_bool(s, n, &there, &why)) {
		map_bad(m, column, why);
		return;
	}
	s = map_number(m, there ? MAP_UNMANAGED_STOCK : 0, &n);
	item_set(i, F_STOCK, s, n);
}

/* Columns with a language: the main one fills the plain field, the others make {"en": ..., "de": null}. */
static void
take_translations(struct map *m, struct item *i, const struct own *o, int field, enum field into, size_t max)
{
	const char *s;
	struct buf b;
	size_t c, n;

	if (o->first[into] != 0)
		return;
	buf_init(&b, &m->arena, 256, 2u << 20);
	for (c = 0; c < m->row->columns; c++) {
		if (o->field[c] != field || o->lang[c][0] == '\0' || (s = row_cell(m->row, c, &n)) == NULL)
			continue;
		value_trim(&s, &n);
		if (i->v[F_LANG] != NULL && memcmp(o->lang[c], i->v[F_LANG], 2) == 0) {
			if ((i->has & FIELD_BIT(field)) == 0)
				map_text(m, i, (enum field)field, m->row->name[c], s, n, max);
			continue;
		}
		buf_printf(&b, "%s\"%s\":", b.n == 0 ? "{" : ",", o->lang[c]);
		if (n == 0)
			buf_puts(&b, "null");
		else
			buf_json_string(&b, s, n);
	}
	if (b.n > 0) {
		buf_putc(&b, '}');
		item_set(i, into, b.p, b.n);
	}
}

static void
take_texts(struct map *m, struct item *i, const struct own *o)
{
	static const struct {
		enum field f;
		size_t max;
	} texts[] = {
		{ F_SKU, 100 }, { F_PARENT, 100 }, { F_NAME, 1000 }, { F_SLUG, 200 }, { F_BRAND, 200 }, { F_COLOUR, 200 }, { F_DESCRIPTION, 1u << 20 }
	};
	const char *s, *column = NULL;
	size_t k, n;

	for (k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
		s = cell(m, o, (int)texts[k].f, &n, &column);
		map_text(m, i, texts[k].f, column, s, n, texts[k].max);
	}
	take_translations(m, i, o, F_NAME, F_NAMES, 1000);
	take_translations(m, i, o, F_COLOUR, F_COLOURS, 200);
	take_translations(m, i, o, F_DESCRIPTION, F_DESCRIPTIONS, 1u << 20);
}

static void
take_values(struct map *m, struct item *i, const struct own *o)
{
	static const enum field json[] = { F_NAMES, F_COLOURS, F_DESCRIPTIONS, F_ATTRIBUTES, F_OPTIONS };
	char rating[8];
	const char *s, *column = NULL, *why;
	enum decimal d = m->src->format == FORMAT_JSON || m->src->format == FORMAT_JSONL || m->src->format == FORMAT_XLSX ?
	    DECIMAL_POINT : m->opt.decimal;
	size_t n, k;

	s = cell(m, o, F_PRICE, &n, &column);
	map_price(m, i, F_PRICE, column, s, n, d);
	s = cell(m, o, F_SALE, &n, &column);
	map_price(m, i, F_SALE, column, s, n, d);
	map_sale(m, i, column);
	s = cell(m, o, F_CATEGORY, &n, &column);
	map_category(m, i, column, s, n);
	s = cell(m, o, F_STOCK, &n, &column);
	map_whole(m, i, F_STOCK, column, s, n, INT32_MIN, INT32_MAX);
	s = cell(m, o, F_FEATURED, &n, &column);
	map_switch(m, i, F_FEATURED, column, s, n);
	s = cell(m, o, F_RATING_COUNT, &n, &column);
	map_whole(m, i, F_RATING_COUNT, column, s, n, 0, INT32_MAX);
	s = cell(m, o, F_POSITION, &n, &column);
	map_whole(m, i, F_POSITION, column, s, n, 0, INT16_MAX);
	s = cell(m, o, F_IMAGES, &n, &column);
	map_images(m, i, column, s, n);
	for (k = 0; k < sizeof(json) / sizeof(json[0]); k++) {
		s = cell(m, o, (int)json[k], &n, &column);
		map_json(m, i, json[k], column, s, n);
	}
	s = cell(m, o, F_STATUS, &n, &column);
	take_status(m, i, s, n, column);
	s = cell(m, o, X_AVAILABLE, &n, &column);
	take_availability(m, i, s, n, column);
	if ((s = cell(m, o, F_RATING, &n, &column)) == NULL)
		return;
	if (n == 0)
		item_set(i, F_RATING, NULL, 0);
	else if (value_rating(s, n, rating, &why))
		item_set(i, F_RATING, arena_strdup(&m->arena, rating), strlen(rating));
	else
		map_bad(m, column, why);
}

static void
own_take(struct map *m, enum row_got got)
{
	struct own *o;
	struct item *i;
	const char *s, *column = NULL;
	size_t n;

	if (got != ROW_OK)
		return;
	o = columns(m);
	i = map_add(m);
	s = cell(m, o, F_LANG, &n, &column);
	take_language(m, i, s, n, column);
	s = cell(m, o, F_CURRENCY, &n, &column);
	take_currency(m, i, s, n, column);
	take_texts(m, i, o);
	if (i->v[F_SKU] == NULL && o->first[F_SKU] == 0 && o->first[X_ID] != 0) {
		s = cell(m, o, X_ID, &n, &column);
		map_text(m, i, F_SKU, column, s, n, 100);
	}
	take_values(m, i, o);
	if (i->v[F_SKU] == NULL)
		map_bad(m, o->first[F_SKU] != 0 ? m->row->name[o->first[F_SKU] - 1] : "sku", "is missing");
	i->variant = i->v[F_PARENT] != NULL;
	if (!i->variant && (i->has & FIELD_BIT(F_NAME)) != 0 && i->v[F_NAME] == NULL)
		map_bad(m, o->first[F_NAME] != 0 ? m->row->name[o->first[F_NAME] - 1] : "name", "is missing");
	if (m->bad)
		map_drop(m);
}

static bool
own_uses(const struct map *m, size_t column)
{
	const struct own *o = m->state;
	int f = o != NULL && column < o->known ? o->field[column] : X_IGNORED;

	if (f == X_ID && o->first[F_SKU] != 0)
		return false;
	return f >= 0 && (o->lang[column][0] != '\0' || o->first[f] == column + 1);
}

const struct layout layout_own = { "own columns", own_matches, own_take, own_uses };
