/* The search with what was understood; see understand_shop.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/money.h"
#include "search/rates.h"
#include "search/understand_internal.h"
#include "search/understand_shop.h"
#include "search/unwanted.h"

#define LEVEL_BEST 100		/* matches whose prices tell what is cheap */
#define LEVEL_LEAST 5
#define LEVEL_SHARE 2		/* fifths of them */
#define RATED 4
#define VALUE_MAX 128		/* bytes of an attribute's value */

/* ---- what is cheap ---- */

static int
by_value(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* Two fifths of the best matches cost no more (or no less) than this.  false: they are too few to tell. */
static bool
set_level(struct ctx *c, const struct engine_view *v, struct engine_query *q, const struct understood *u, const char *currency)
{
	struct engine_query best = *q;
	struct engine_result *found = arena_alloc(c->a, sizeof(*found));
	int64_t pays[LEVEL_BEST];
	int scale = money_scale(currency);
	size_t n = 0, share;

	best.limit = LEVEL_BEST;
	best.offset = 0;
	best.after.set = false;
	best.facets = false;
	best.sort = SORT_RELEVANCE;
	engine_search(c, v, &best, found);
	for (size_t i = 0; i < found->n && i < LEVEL_BEST; i++) {
		const struct seg *s = v->part[found->hit[i].part].seg;
		uint32_t doc = found->hit[i].doc;

		if (s->pays[doc] > 0 && s->currency[doc] < SEG_CURRENCIES && strncmp(s->meta->currency[s->currency[doc]], currency, 3) == 0)
			pays[n++] = s->pays[doc];
	}
	if (n < LEVEL_LEAST)
		return false;
	qsort(pays, n, sizeof(*pays), by_value);
	share = n * LEVEL_SHARE / 5;
	if (u->budget)
		q->filter.max_price = (double)pays[share] / pow(10, scale < 0 ? 2 : scale);
	else
		q->filter.min_price = (double)pays[n - 1 - share] / pow(10, scale < 0 ? 2 : scale);
	return true;
}

/* ---- the search ---- */

/* ---- attributes ---- */

/* The first key that some product has with that value, all words of it; NULL. */
static const char *
key_with(const struct seg *s, const char *const *keys, const char *value, size_t n)
{
	for (; *keys != NULL; keys++) {
		bool all = n > 0;

		for (size_t at = 0; all && at < n;) {
			const char *end = memchr(value + at, ' ', n - at);
			size_t len = end != NULL ? (size_t)(end - value) - at : n - at;

			all = seg_attribute_find(s, *keys, strlen(*keys), value + at, len) != SEG_NONE;
			at += len + 1;
		}
		if (all)
			return *keys;
	}
	return NULL;
}

/* "180x200" as it may stand in an attribute: "180 200". */
static void
part_dimensions(char *s, size_t n)
{
	for (size_t i = 1; i + 1 < n; i++)
		if (s[i] == 'x' && s[i - 1] >= '0' && s[i - 1] <= '9' && s[i + 1] >= '0' && s[i + 1] <= '9')
			s[i] = ' ';
}

/* A size or style as an attribute that products of the shop have: as it was typed, else by any other word for it.  false: there is none. */
static bool
attribute_of(struct ctx *c, const struct seg *s, const char *query, const struct understand_item *item, struct search_attribute *out)
{
	static const char *const sizes[] = { "size", "taille", "talla", "grosse", "dimensions", "dimension", "dimensiones", "masse", NULL },
	    *const styles[] = { "style", "stil", "estilo", NULL };
	const char *const *keys = item->kind == U_SIZE ? sizes : styles;
	char folded[VALUE_MAX];
	size_t n = text_fold(query + item->from, item->to - item->from, folded, sizeof(folded)), at = 0;

	part_dimensions(folded, n);
	out->value = arena_strndup(c->a, folded, n);
	if ((out->key = key_with(s, keys, folded, n)) != NULL)
		return true;
	for (const struct u_word *e; out->key == NULL && (e = u_next(item->kind, &at)) != NULL;)
		if (strcmp(e->value, item->value) == 0) {
			out->key = key_with(s, keys, e->s, e->n);
			out->value = arena_strndup(c->a, e->s, e->n);
		}
	return out->key != NULL;
}

/* How much of what was understood is used: words alone; category and colours that are near; these and the colour itself; and attributes. */
enum use { USE_WORDS, USE_NEAR, USE_COLOUR, USE_ALL };

static bool
is_attribute(enum understand_kind kind)
{
	return kind == U_SIZE || kind == U_STYLE;
}

static bool
has_attribute(const struct understood *u)
{
	for (unsigned i = 0; i < u->n; i++)
		if (is_attribute(u->item[i].kind))
			return true;
	return false;
}

static void
apply_attributes(struct ctx *c, const struct seg *s, const char *query, const struct understood *u, struct engine_filter *f)
{
	for (unsigned i = 0; i < u->n && f->attributes < SEARCH_ATTRIBUTES_MAX; i++)
		if (is_attribute(u->item[i].kind) && attribute_of(c, s, query, &u->item[i], &f->attribute[f->attributes]))
			f->attributes++;
}

/* A price in a currency that can be compared with none of the shop's is taken in the shop's own. */
static const char *
currency_of(const struct engine_view *v, const char *named, const char *own)
{
	for (unsigned p = 0; named != NULL && p < v->n; p++)
		for (uint32_t i = 0; i < v->part[p].seg->meta->currencies && i < SEG_CURRENCIES; i++) {
			char code[4] = { 0 };

			memcpy(code, v->part[p].seg->meta->currency[i], 3);
			if (rates_known(named, code))
				return named;
		}
	return own;
}

/* A filter that the caller gives wins. */
static void
apply(const struct engine_view *v, struct engine_query *q, const struct understood *u, enum use use)
{
	struct engine_filter *f = &q->filter;

	q->text = u->rest;
	if (isnan(f->min_price) && isnan(f->max_price)) {
		f->min_price = u->min_price != NULL ? strtod(u->min_price, NULL) : NAN;
		f->max_price = u->max_price != NULL ? strtod(u->max_price, NULL) : NAN;
		f->currency = currency_of(v, u->currency, f->currency);
	}
	if (f->category == NULL && use > USE_WORDS)
		f->category = u->category;
	if (f->colour == NULL && use >= USE_COLOUR)
		f->colour = u->colour;
	if (f->colour == NULL && use == USE_NEAR) {
		f->colours = u->near;
		f->colours_n = u->nears;
	}
	if (u->in_stock)
		f->in_stock = true;
	if (u->rated && f->min_rating <= 0)
		f->min_rating = RATED;
	q->strict = u->sorted && q->sort == SORT_RELEVANCE;	/* "the cheapest lamp" is no candle that goes well with lamps */
	if (q->strict)
		q->sort = u->sort;
}

static bool
try(struct ctx *c, const struct engine_view *v, const struct engine_query *q, enum use use, struct engine_result *out, struct understood *u)
{
	struct engine_query mine = *q;
	bool level;

	apply(v, &mine, u, use);
	if (use == USE_ALL)
		apply_attributes(c, v->part[0].seg, q->text, u, &mine.filter);
	level = (u->budget || u->luxury) && isnan(mine.filter.min_price) && isnan(mine.filter.max_price) &&
	    set_level(c, v, &mine, u, cfg_str("SHOP_CURRENCY"));
	engine_search(c, v, &mine, out);
	for (unsigned i = 0; i < u->n; i++) {
		enum understand_kind kind = u->item[i].kind;

		if (out->total > 0 && use == USE_NEAR && kind == U_COLOUR)
			u->item[i].label = arena_printf(c->a, "≈ %s", u->item[i].label);
		u->item[i].applied = out->total > 0 && (use > USE_WORDS || (kind != U_COLOUR && kind != U_CATEGORY)) &&
		    (level || (kind != U_BUDGET && kind != U_LUXURY));
	}
	return out->total > 0;
}

bool
understand_applied(const struct understood *u, enum understand_kind kind)
{
	for (unsigned i = 0; u != NULL && i < u->n; i++)
		if (u->item[i].kind == kind && u->item[i].applied)
			return true;
	return false;
}

void
understand_search(struct ctx *c, const struct engine_view *v, const struct engine_query *q, struct engine_result *out, struct understood *u)
{
	const char *text = q->text != NULL ? q->text : "";
	struct engine_query mine = *q;
	const struct engine_view *wanted;
	struct understand_shop shop;
	const struct unwanted *e;

	understand_shop_of(v, &shop);
	shop.literal = q->literal;
	understand(c->a, text, strlen(text), &shop, q->locale != NULL ? q->locale : cfg_str("SHOP_LOCALE"), u);
	e = unwanted_read(c, v, u->exclude, u->excludes);
	wanted = unwanted_mask(c, v, u->exclude_colour, u->exclude_colours);
	if (u->excludes > 0) {
		mine.place = unwanted_place;
		mine.place_arg = e;
		mine.suspects = unwanted_suspects(c, e);
		mine.leave_out = u->sorted || q->sort != SORT_RELEVANCE || u->rest[0] == '\0';
	}
	if (u->n > 0 && try(c, wanted, &mine, USE_ALL, out, u))
		return;
	if (has_attribute(u) && try(c, wanted, &mine, USE_COLOUR, out, u))
		return;
	if (u->nears > 0 && q->filter.colour == NULL && try(c, wanted, &mine, USE_NEAR, out, u))
		return;
	if ((u->category != NULL || u->colour != NULL) && u->rest[0] != '\0' && try(c, wanted, &mine, USE_WORDS, out, u))
		return;
	engine_search(c, v, q, out);
}
