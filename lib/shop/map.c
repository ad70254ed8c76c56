#include "shop/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "core/json.h"
#include "core/money.h"

#define ARENA_MAX (64u << 20)

static const struct layout *const layouts[] = { &layout_woo, &layout_shopify, &layout_own };

struct map *
map_open(struct row_source *src, const struct map_options *opt, struct report *report)
{
	struct map *m = calloc(1, sizeof(*m));

	if (m == NULL || (m->queue = calloc(MAP_QUEUE, sizeof(*m->queue))) == NULL)
		abort();
	m->src = src;
	m->row = &src->row;
	m->opt = *opt;
	m->report = report;
	arena_init(&m->arena, ARENA_MAX);
	arena_init(&m->keep, ARENA_MAX);
	return m;
}

void
map_close(struct map *m)
{
	if (m == NULL)
		return;
	arena_release(&m->arena);
	arena_release(&m->keep);
	free(m->queue);
	free(m);
}

const char *
map_layout(const struct map *m)
{
	return m->layout != NULL ? m->layout->name : "";
}

void
map_unused(const struct map *m, char *out, size_t outsz)
{
	const struct row *r = m->row;
	size_t i, n, used = 0;

	out[0] = '\0';
	for (i = 0; m->layout != NULL && m->layout->uses != NULL && i < r->columns; i++) {
		if (r->name[i][0] == '\0' || m->layout->uses(m, i))
			continue;
		n = strlen(r->name[i]);
		if (used + 2 + n + sizeof(", ...") > outsz) {
			snprintf(out + used, outsz - used, "%s", used > 0 ? ", ..." : "");
			return;
		}
		used += (size_t)snprintf(out + used, outsz - used, "%s%s", used > 0 ? ", " : "", r->name[i]);
	}
}

/* Names are compared without case, blanks, hyphens, underscores and question marks. */
static bool
same_name(const char *a, const char *b)
{
	for (;;) {
		while (*a != '\0' && strchr(" -_?.", *a) != NULL)
			a++;
		while (*b != '\0' && strchr(" -_?.", *b) != NULL)
			b++;
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		if (strncasecmp(a++, b++, 1) != 0)
			return false;
	}
}

size_t
map_column(const struct row *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->columns; i++) {
		if (same_name(r->name[i], name))
			return i;
	}
	return ROW_COLUMNS_MAX;
}

const char *
map_cell(struct map *m, const char *name, size_t *n)
{
	size_t slot = ((uintptr_t)name ^ (uintptr_t)name >> 8) % MAP_CACHE, columns = m->row->columns;
	const char *s;

	if (m->cache[slot].name != name || m->cache[slot].columns != columns) {
		m->cache[slot].name = name;
		m->cache[slot].columns = columns;
		m->cache[slot].at = map_column(m->row, name);
	}
	s = row_cell(m->row, m->cache[slot].at, n);
	if (s == NULL)
		*n = 0;
	else
		value_trim(&s, n);
	return s;
}

void
map_bad(struct map *m, const char *column, const char *why)
{
	if (!m->bad)
		report_bad(m->report, m->row->line, column, "%s", why);
	m->bad = true;
}

struct item *
map_add(struct map *m)
{
	struct item *i;

	if (m->tail == MAP_QUEUE) {
		map_bad(m, NULL, "belongs to a product with too many rows");
		m->tail--;
	}
	i = &m->queue[m->tail++];
	memset(i, 0, sizeof(*i));
	i->line = m->row->line;
	i->v[F_LANG] = m->opt.locale;
	i->n[F_LANG] = 2;
	i->v[F_CURRENCY] = m->opt.currency;
	i->n[F_CURRENCY] = 3;
	if (m->opt.locale_given)
		i->has |= FIELD_BIT(F_LANG);
	return i;
}

void
map_drop(struct map *m)
{
	if (m->tail > m->head)
		m->tail--;
}

/* ---- values ---- */

void
map_text(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, size_t max)
{
	char why[64];

	if (s == NULL)
		return;
	value_trim(&s, &n);
	if (n > max && utf8_length(s, n) > max) {
		snprintf(why, sizeof(why), "is longer than %zu characters", max);
		map_bad(m, column, why);
		return;
	}
	item_set(i, f, s, n);
}

void
map_html(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, size_t max)
{
	struct buf b;

	if (s == NULL)
		return;
	buf_init(&b, &m->arena, n + 1, 4u << 20);
	value_html(&b, s, n);
	map_text(m, i, f, column, buf_str(&b), b.n, max);
}

const char *
map_number(struct map *m, int64_t v, size_t *n)
{
	char *p = arena_alloc(&m->arena, 24);

	*n = (size_t)snprintf(p, 24, "%lld", (long long)v);
	return p;
}

const char *
map_currency(const struct map *m, const struct item *i)
{
	return i->v[F_CURRENCY] != NULL ? i->v[F_CURRENCY] : m->opt.currency;
}

void
map_price(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, enum decimal d)
{
	char code[4], own[4], why_not[96];
	const char *why;
	int64_t minor;

	if (s == NULL)
		return;
	value_trim(&s, &n);
	if (n == 0) {
		item_set(i, f, NULL, 0);
		return;
	}
	value_currency(s, n, code);
	snprintf(own, sizeof(own), "%.3s", map_currency(m, i));
	if (code[0] != '\0' && (i->has & FIELD_BIT(F_CURRENCY)) == 0) {
		item_set(i, F_CURRENCY, arena_strdup(&m->arena, code), 3);
		memcpy(own, code, sizeof(own));
	} else if (code[0] != '\0' && strcmp(code, own) != 0) {
		snprintf(why_not, sizeof(why_not), "is in %s, but the product's currency is %s", code, own);
		map_bad(m, column, why_not);
		return;
	}
	if (!value_amount(s, n, money_scale(own), d, false, &minor, &why)) {
		map_bad(m, column, why);
		return;
	}
	s = map_number(m, minor, &n);
	item_set(i, f, s, n);
}

void
map_sale(struct map *m, struct item *i, const char *column)
{
	long long price, sale;

	if (i->v[F_PRICE] == NULL || i->v[F_SALE] == NULL)
		return;
	price = strtoll(i->v[F_PRICE], NULL, 10);
	sale = strtoll(i->v[F_SALE], NULL, 10);
	if (sale > price)
		map_bad(m, column, "is above the price");
	else if (sale == price)
		item_set(i, F_SALE, NULL, 0);
}

void
map_whole(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n, int64_t lo, int64_t hi)
{
	const char *why;
	int64_t v;

	if (s == NULL)
		return;
	value_trim(&s, &n);
	if (n == 0) {
		item_set(i, f, NULL, 0);
		return;
	}
	if (!value_int(s, n, lo, hi, &v, &why)) {
		map_bad(m, column, why);
		return;
	}
	s = map_number(m, v, &n);
	item_set(i, f, s, n);
}

void
map_switch(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n)
{
	const char *why;
	bool v = false;

	if (s == NULL)
		return;
	value_trim(&s, &n);
	if (n > 0 && !value_bool(s, n, &v, &why)) {
		map_bad(m, column, why);
		return;
	}
	item_set(i, f, v ? "t" : "f", 1);
}

void
map_images(struct map *m, struct item *i, const char *column, const char *s, size_t n)
{
	const char *why;
	struct buf b;

	if (s == NULL)
		return;
	buf_init(&b, &m->arena, 128, 1u << 20);
	if (!value_images(&b, s, n, &why))
		map_bad(m, column, why);
	else
		item_set(i, F_IMAGES, b.p, b.n);
}

void
map_category(struct map *m, struct item *i, const char *column, const char *s, size_t n)
{
	const char *why;
	struct buf b;

	if (s == NULL)
		return;
	buf_init(&b, &m->arena, 128, 8192);
	if (n > 4096)
		map_bad(m, column, "is too long");
	else if (!value_category(&b, s, n, &why))
		map_bad(m, column, why);
	else
		item_set(i, F_CATEGORY, b.p, b.n);
}

/* A JSON object, or "Name: value; Name: value" for attributes and options. */
void
map_json(struct map *m, struct item *i, enum field f, const char *column, const char *s, size_t n)
{
	struct ctx c = { .a = &m->arena };
	const char *end, *semi, *colon;
	json_object *o;
	struct buf b;

	if (s == NULL)
		return;
	value_trim(&s, &n);
	if (n > 0 && s[0] == '{') {
		if (json_parse(&c, s, n, &o) != E_OK || !json_object_is_type(o, json_type_object))
			map_bad(m, column, "is not a JSON object");
		else
			item_set(i, f, s, n);
		return;
	}
	buf_init(&b, &m->arena, 128, 1u << 20);
	for (end = s + n; s < end; s = semi + 1) {
		semi = memchr(s, ';', (size_t)(end - s));
		semi = semi != NULL ? semi : end;
		if ((colon = memchr(s, ':', (size_t)(semi - s))) == NULL) {
			map_bad(m, column, "is neither a JSON object nor \"Name: value; Name: value\"");
			return;
		}
		const char *key = s, *value = colon + 1;
		size_t keysz = (size_t)(colon - s), valuesz = (size_t)(semi - value);

		value_trim(&key, &keysz);
		value_trim(&value, &valuesz);
		buf_putc(&b, b.n == 0 ? '{' : ',');
		buf_json_string(&b, key, keysz);
		buf_putc(&b, ':');
		buf_json_string(&b, value, valuesz);
	}
	buf_puts(&b, b.n == 0 ? "{}" : "}");
	item_set(i, f, b.p, b.n);
}

/* ---- the loop ---- */

static bool
choose_layout(struct map *m)
{
	struct row_source *s = m->src;
	size_t k;

	for (k = 0; k < sizeof(layouts) / sizeof(layouts[0]); k++) {
		if (layouts[k]->matches(m->row)) {
			m->layout = layouts[k];
			return true;
		}
	}
	source_fail(s, "no column says which product a row is: a column \"sku\" is needed, and \"name\" for new products (the first column is \"%.40s\")",
	    m->row->columns > 0 ? m->row->name[0] : "");
	return false;
}

enum map_got
map_next(struct map *m, struct item *out)
{
	enum row_got got;

	while (m->head == m->tail) {
		m->head = m->tail = 0;
		if (m->ended)
			return MAP_END;
		arena_reset(&m->arena);
		got = source_next(m->src);
		if (got == ROW_FAIL)
			return MAP_FAIL;
		m->bad = false;
		if (got == ROW_BAD) {
			m->report->rows++;
			report_bad(m->report, m->row->line, m->src->column, "%s", m->src->why);
			continue;
		}
		if (m->layout == NULL && (got != ROW_END || m->row->columns > 0) && !choose_layout(m))
			return MAP_FAIL;
		m->report->rows += got == ROW_OK;
		m->ended = got == ROW_END;
		if (m->layout != NULL)
			m->layout->take(m, got);
	}
	*out = m->queue[m->head++];
	return MAP_ITEM;
}
