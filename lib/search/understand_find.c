/* The search with what was understood; see understand_shop.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/money.h"
#include "search/correct.h"
#include "search/rates.h"
#include "search/understand_internal.h"
#include "search/understand_shop.h"

#define LEVEL_BEST 100		/* matches whose prices tell what is cheap */
#define LEVEL_LEAST 5
#define LEVEL_SHARE 2		/* fifths of them */
#define RATED 4
#define WORDS_MAX 8		/* of an exclusion */
#define VALUE_MAX 128		/* bytes of an attribute's value */
#define CORRECT_LEAST 5		/* bytes; shorter ones would become anything */

/* ---- what is not wanted ---- */

struct bits {
	uint64_t *set;
	uint32_t n;		/* set */
};

static void
mask(struct bits *b, uint32_t doc)
{
	uint64_t bit = (uint64_t)1 << doc % 64;

	b->n += !(b->set[doc / 64] & bit);
	b->set[doc / 64] |= bit;
}

/* The stems of a folded word that this part has. */
static unsigned
terms_of(const struct seg *s, const char *word, size_t n, uint32_t out[TEXT_LANGS])
{
	unsigned k = 0;

	for (int lang = 0; lang < TEXT_LANGS; lang++) {
		char stem[TEXT_WORD_MAX];
		uint32_t id = seg_term_find(s, stem, text_stem(lang, word, n, stem));

		if (id != SEG_NONE && (k == 0 || out[k - 1] != id))
			out[k++] = id;
	}
	return k;
}

/* The same of a word with typing errors. */
static unsigned
terms_corrected(const struct seg *s, const char *word, size_t n, uint32_t out[TEXT_LANGS])
{
	struct correct_guess guess = { 0 };

	if (n >= CORRECT_LEAST)
		correct_word(s, word, n, &guess);
	return guess.s != NULL ? terms_of(s, guess.s, guess.n, out) : 0;
}

/* The words of one exclusion as terms of a part; n 0: the part cannot have them all. */
struct unwanted {
	struct {
		uint32_t term[TEXT_LANGS];
		unsigned n;
	} word[WORDS_MAX];
	unsigned n;
};

/* Exclusions by words, for each part. */
struct exclusions {
	const struct engine_view *v;
	struct unwanted (*of)[UNDERSTAND_EXCLUDE_MAX];
	unsigned n;
};

static void
read_unwanted(const struct seg *s, const char *words, struct unwanted *out)
{
	out->n = 0;
	for (const char *p = words; *p != '\0' && out->n < WORDS_MAX; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		unsigned i = out->n;

		if ((out->word[i].n = terms_of(s, p, len, out->word[i].term)) == 0 &&
		    (out->word[i].n = terms_corrected(s, p, len, out->word[i].term)) == 0) {
			out->n = 0;
			return;
		}
		out->n++;
		p += len;
	}
}

/* Are all words of it in the name? */
static bool
has_unwanted(const struct unwanted *u, const uint32_t *title, size_t n)
{
	for (unsigned w = 0; w < u->n; w++) {
		bool found = false;

		for (size_t i = 0; !found && i < n; i++)
			for (unsigned k = 0; !found && k < u->word[w].n; k++)
				found = title[i] == u->word[w].term[k];
		if (!found)
			return false;
	}
	return u->n > 0;
}

static bool
is_unwanted(const void *arg, unsigned part, uint32_t doc)
{
	const struct exclusions *e = arg;
	const struct seg *s = e->v->part[part].seg;
	uint32_t title[SEG_TITLE_MAX];
	size_t n = seg_title(s, doc, title);

	for (unsigned i = 0; i < e->n; i++)
		if (has_unwanted(&e->of[part][i], title, n))
			return true;
	return false;
}

/* Products of a part that have the words of exclusion i in the name. */
static void
mask_words(const struct exclusions *e, unsigned part, unsigned i, struct bits *b)
{
	const struct seg *s = e->v->part[part].seg;
	const struct unwanted *u = &e->of[part][i];
	uint32_t title[SEG_TITLE_MAX];

	for (unsigned k = 0; u->n > 0 && k < u->word[0].n; k++) {
		struct seg_list list = seg_list(s, u->word[0].term[k]);

		for (uint32_t at = 0; at < list.df; at++) {
			uint32_t doc = seg_doc(&list, at);

			if (doc < s->docs && has_unwanted(u, title, seg_title(s, doc, title)))
				mask(b, doc);
		}
	}
}

static void
mask_colour(struct ctx *c, const struct seg *s, const char *name, struct bits *b)
{
	char folded[TEXT_WORD_MAX * 4];
	size_t n = text_fold(name, strlen(name), folded, sizeof(folded));
	uint32_t all = seg_values(s, SEC_COLOUR);
	bool *is = arena_zalloc(c->a, (size_t)all + 1, sizeof(*is));

	for (uint32_t i = 0; i < all; i++)
		is[i] = understand_colour_is(s, i, folded, n, true);
	for (uint32_t doc = 0; doc < s->docs; doc++)
		if (s->colour[doc] < all && is[s->colour[doc]])
			mask(b, doc);
}

static void
read_exclusions(struct ctx *c, const struct engine_view *v, const struct understood *u, struct exclusions *e)
{
	*e = (struct exclusions){ .v = v, .of = arena_alloc(c->a, (v->n + 1) * sizeof(*e->of)), .n = u->excludes };
	for (unsigned p = 0; p < v->n; p++)
		for (unsigned i = 0; i < u->excludes; i++)
			read_unwanted(v->part[p].seg, u->exclude[i], &e->of[p][i]);
}

/* The view without products of a colour that is not wanted and, with words, without those that have unwanted words. */
static const struct engine_view *
without(struct ctx *c, const struct engine_view *v, const struct understood *u, const struct exclusions *e, bool words)
{
	struct engine_view *out;

	if (u->exclude_colour == NULL && (!words || e->n == 0))
		return v;
	out = arena_alloc(c->a, sizeof(*out));
	*out = *v;
	for (unsigned p = 0; p < v->n; p++) {
		const struct seg *s = v->part[p].seg;
		size_t cells = (size_t)s->docs / 64 + 1;
		struct bits b = { arena_zalloc(c->a, cells, sizeof(uint64_t)), v->part[p].masked_n };

		if (v->part[p].masked != NULL)
			memcpy(b.set, v->part[p].masked, cells * sizeof(uint64_t));
		for (unsigned i = 0; words && i < e->n; i++)
			mask_words(e, p, i, &b);
		if (u->exclude_colour != NULL)
			mask_colour(c, s, u->exclude_colour, &b);
		out->part[p].masked = b.set;
		out->part[p].masked_n = b.n;
	}
	return out;
}

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
static size_t
part_dimensions(char *s, size_t n)
{
	for (size_t i = 1; i + 1 < n; i++)
		if (s[i] == 'x' && s[i - 1] >= '0' && s[i - 1] <= '9' && s[i + 1] >= '0' && s[i + 1] <= '9')
			s[i] = ' ';
	return n;
}

/* A size or style as an attribute that products of the shop have: as it was typed, else by any other word for it.  false: there is none. */
static bool
attribute_of(struct ctx *c, const struct seg *s, const char *query, const struct understand_item *item, struct search_attribute *out)
{
	static const char *const sizes[] = { "size", "taille", "talla", "grosse", "dimensions", "dimension", "dimensiones", "masse", NULL },
	    *const styles[] = { "style", "stil", "estilo", NULL };
	const char *const *keys = item->kind == U_SIZE ? sizes : styles;
	char folded[VALUE_MAX];
	size_t n = part_dimensions(folded, text_fold(query + item->from, item->to - item->from, folded, sizeof(folded))), at = 0;

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
	if (u->sorted && q->sort == SORT_RELEVANCE)
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
	struct exclusions e;
	bool ordered;

	understand_shop_of(v, &shop);
	understand(c->a, text, strlen(text), &shop, q->locale != NULL ? q->locale : cfg_str("SHOP_LOCALE"), u);
	read_exclusions(c, v, u, &e);
	ordered = u->sorted || q->sort != SORT_RELEVANCE || u->rest[0] == '\0';
	wanted = without(c, v, u, &e, ordered);
	if (e.n > 0 && !ordered) {
		mine.behind = is_unwanted;
		mine.behind_arg = &e;
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
