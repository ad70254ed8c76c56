/* Filters; see engine.h. */
#include <math.h>
#include <string.h>

#include "core/banned.h"
#include "core/money.h"
#include "search/rates.h"
#include "search/understand_shop.h"

#define FOLDED_MAX 512
#define COLUMNS_LEAST 6		/* of 64 products, from which on whole columns are faster than asking each */

/* Is one of the NUL-terminated names in text, from the second on, this folded one? */
static bool
names_it(const char *text, size_t n, const char *folded, size_t len)
{
	const char *p = memchr(text, '\0', n), *end = text + n, *next;

	for (p = p != NULL ? p + 1 : end; p < end; p = next + 1) {
		if ((next = memchr(p, '\0', (size_t)(end - p))) == NULL)
			next = end;
		if ((size_t)(next - p) == len && memcmp(p, folded, len) == 0)
			return true;
	}
	return false;
}

/* Put the values of a brand or colour by that name into a set; false: there is none. */
static bool
put_values(const struct seg *s, enum seg_section which, const char *name, uint64_t *set)
{
	uint32_t n = seg_values(s, which);
	char folded[FOLDED_MAX];
	bool found = false, exactly;
	size_t len = text_fold(name, strlen(name), folded, sizeof(folded));

	for (uint32_t i = 0; i < n; i++) {
		size_t m;
		const char *text = seg_value_text(s, which, i, &m);

		if (names_it(text, m, folded, len)) {
			set[i / 64] |= (uint64_t)1 << i % 64;
			found = true;
		}
	}
	exactly = found;
	/* No colour is called just "red": all that have the word. */
	for (uint32_t i = 0; len > 0 && !exactly && which == SEC_COLOUR && i < n; i++)
		if (understand_colour_is(s, i, folded, len, true)) {
			set[i / 64] |= (uint64_t)1 << i % 64;
			found = true;
		}
	return found;
}

/* The values with one of these names; NULL when nothing is asked for. */
static const uint64_t *
values_named(struct ctx *c, const struct seg *s, enum seg_section which, const char *const *names, unsigned n, bool *none)
{
	uint64_t *set;
	bool found = false;

	if (n == 0)
		return NULL;
	set = arena_zalloc(c->a, (size_t)seg_values(s, which) / 64 + 1, sizeof(*set));
	for (unsigned i = 0; i < n; i++)
		found = put_values(s, which, names[i], set) || found;
	*none = *none || !found;
	return set;
}

/* Does a category have that slug, or that name in any language ("en=Lamps")? */
static bool
category_is(const char *text, size_t n, const char *wanted, const char *folded, size_t len)
{
	const char *p = memchr(text, '\0', n), *end = text + n, *next;
	char name[FOLDED_MAX];

	if (p == NULL)
		return false;
	if (strcmp(text, wanted) == 0)
		return true;
	for (p++; p + 3 < end; p = next + 1) {
		if ((next = memchr(p, '\0', (size_t)(end - p))) == NULL)
			return false;
		if (next > p + 3 && text_fold(p + 3, (size_t)(next - p) - 3, name, sizeof(name)) == len && memcmp(name, folded, len) == 0)
			return true;
	}
	return false;
}

/* The slug is unique; of several with the name the first counts. */
static void
find_category(const struct seg *s, const char *wanted, struct engine_sieve *out)
{
	char folded[FOLDED_MAX];
	size_t len = text_fold(wanted, strlen(wanted), folded, sizeof(folded)), n;

	out->none = true;
	for (uint32_t i = 0; i < s->meta->categories; i++) {
		const struct seg_category *k = seg_category(s, i);
		const char *text = seg_category_text(s, k, &n);
		bool slug = memchr(text, '\0', n) != NULL && strcmp(text, wanted) == 0;

		if (!slug && (!out->none || !category_is(text, n, wanted, folded, len)))
			continue;
		out->none = false;
		out->category_from = i;
		out->category_to = k->last;
		if (slug)
			return;
	}
}

static int64_t
minor_of(double amount, const char *code, bool up)
{
	int scale = money_scale(code);
	double minor = fmin(fmax(amount, 0), 1e12) * pow(10, scale < 0 ? 2 : scale);

	return (int64_t)(up ? ceil(minor - 1e-6) : floor(minor + 1e-6));
}

/* One limit in the currency of products; false: they cannot be compared. */
static bool
limit_in(const struct engine_filter *f, double amount, const char *code, bool up, int64_t *out)
{
	if (f->currency != NULL && strcmp(f->currency, code) != 0)
		return rates_convert(f->currency, code, minor_of(amount, f->currency, up), up, out);
	*out = minor_of(amount, code, up);
	return true;
}

static void
set_prices(const struct seg *s, const struct engine_filter *f, struct engine_sieve *out)
{
	bool low = !isnan(f->min_price), high = !isnan(f->max_price);

	out->priced = low || high;
	for (uint32_t i = 0; i < SEG_CURRENCIES; i++) {
		char code[4];

		(void)snprintf(code, sizeof(code), "%.3s", i < s->meta->currencies ? s->meta->currency[i] : "XXX");
		out->min[i] = 0;
		out->max[i] = INT64_MAX;
		if ((low && !limit_in(f, f->min_price, code, true, &out->min[i])) || (high && !limit_in(f, f->max_price, code, false, &out->max[i])))
			out->max[i] = -1;
	}
}

/* Take those out of set that do not have the attribute; set has room for all products. */
static void
keep_attribute(struct ctx *c, const struct seg *s, const struct search_attribute *a, uint64_t *set)
{
	size_t cells = (size_t)s->docs / 64 + 1, keyn, n;
	char key[FOLDED_MAX], value[FOLDED_MAX];
	uint64_t *has = arena_alloc(c->a, cells * sizeof(*has));

	keyn = text_fold(a->key, strlen(a->key), key, sizeof(key));
	n = text_fold(a->value, strlen(a->value), value, sizeof(value));
	if (n == 0)
		memset(set, 0, cells * sizeof(*set));
	for (size_t at = 0; at < n;) {
		const char *end = memchr(value + at, ' ', n - at);
		size_t len = end != NULL ? (size_t)(end - value) - at : n - at;
		struct seg_list l = seg_list(s, seg_attribute_find(s, key, keyn, value + at, len));

		memset(has, 0, cells * sizeof(*has));
		for (uint32_t i = 0; i < l.df; i++)
			if (seg_doc(&l, i) < s->docs)
				has[seg_doc(&l, i) / 64] |= (uint64_t)1 << seg_doc(&l, i) % 64;
		for (size_t i = 0; i < cells; i++)
			set[i] &= has[i];
		at += len + 1;
	}
}

static const uint64_t *
with_attributes(struct ctx *c, const struct seg *s, const struct engine_filter *f)
{
	size_t cells = (size_t)s->docs / 64 + 1;
	uint64_t *set;

	if (f->attributes == 0)
		return NULL;
	set = arena_alloc(c->a, cells * sizeof(*set));
	memset(set, 0xFF, cells * sizeof(*set));
	for (unsigned i = 0; i < f->attributes; i++)
		keep_attribute(c, s, &f->attribute[i], set);
	return set;
}

void
engine_sieve(struct ctx *c, const struct engine_part *p, const struct engine_filter *f, struct engine_sieve *out)
{
	*out = (struct engine_sieve){ .part = p, .category_from = SEG_NONE, .featured = f->featured, .in_stock = f->in_stock };
	if (f->category != NULL)
		find_category(p->seg, f->category, out);
	out->brands = values_named(c, p->seg, SEC_BRAND, &f->brand, f->brand != NULL, &out->none);
	out->colours = f->colour != NULL ? values_named(c, p->seg, SEC_COLOUR, &f->colour, 1, &out->none) :
	    values_named(c, p->seg, SEC_COLOUR, f->colours, f->colours_n, &out->none);
	out->attributes = with_attributes(c, p->seg, f);
	set_prices(p->seg, f, out);
	out->min_rating = (uint16_t)(f->min_rating > 0 && f->min_rating < 600 ? lround(f->min_rating * 100) : 0);
	out->any = f->category == NULL && f->brand == NULL && out->colours == NULL && !out->priced && !f->featured && !f->in_stock &&
	    out->min_rating == 0 && f->attributes == 0;
}

static bool
in_set(const uint64_t *set, uint32_t value, uint32_t values)
{
	return value < values && (set[value / 64] >> value % 64 & 1);
}

/* What does not depend on a change since the file was built. */
static bool
filter_passes(const struct engine_sieve *s, uint32_t doc)
{
	const struct seg *g = s->part->seg;

	if ((s->in_stock && g->stock[doc] <= 0) || (s->featured && !(g->flags[doc] & SEG_FEATURED)) || g->rating[doc] < s->min_rating)
		return false;
	if (s->attributes != NULL && !(s->attributes[doc / 64] >> doc % 64 & 1))
		return false;
	if (s->category_from != SEG_NONE && (g->category[doc] < s->category_from || g->category[doc] > s->category_to || g->category[doc] == SEG_NONE))
		return false;
	if (s->priced) {
		unsigned i = g->currency[doc] < SEG_CURRENCIES ? g->currency[doc] : SEG_CURRENCIES - 1;

		if (g->pays[doc] < 0 || g->pays[doc] < s->min[i] || g->pays[doc] > s->max[i])
			return false;
	}
	return (s->brands == NULL || in_set(s->brands, g->brand[doc], g->meta->brands)) &&
	    (s->colours == NULL || in_set(s->colours, g->colour[doc], g->meta->colours));
}

bool
engine_passes(const struct engine_sieve *s, uint32_t doc)
{
	if (s->part->masked != NULL && s->part->masked[doc / 64] >> doc % 64 & 1)
		return false;
	return (s->any || filter_passes(s, doc)) && (s->q == NULL || engine_place_of(s->q, s->number, doc) != ENGINE_BEHIND);
}

/* Prices and stock of 64 products from first on, without a branch; the others of engine_passes() are asked one by one. */
static uint64_t
sift_columns(const struct engine_sieve *s, uint32_t first, uint64_t set)
{
	const struct seg *g = s->part->seg;
	const int32_t *stock = g->stock + first;
	const int64_t *pays = g->pays + first;
	const uint8_t *currency = g->currency + first;
	uint8_t pass[64];

	if (s->in_stock) {
		for (unsigned i = 0; i < 64; i++)
			pass[i] = stock[i] > 0;
		set &= engine_pack(pass);
	}
	if (s->priced && set != 0) {
		for (unsigned i = 0; i < 64; i++) {
			unsigned k = currency[i] < SEG_CURRENCIES ? currency[i] : SEG_CURRENCIES - 1;

			pass[i] = (pays[i] >= 0) & (pays[i] >= s->min[k]) & (pays[i] <= s->max[k]);
		}
		set &= engine_pack(pass);
	}
	return set;
}

/* The filters alone. */
static uint64_t
sift_filters(const struct engine_sieve *s, uint32_t first, uint64_t set)
{
	bool rest = s->featured || s->category_from != SEG_NONE || s->brands != NULL || s->colours != NULL || s->min_rating > 0;

	if (__builtin_popcountll(set) >= COLUMNS_LEAST && s->part->seg->docs - first >= 64)
		set = sift_columns(s, first, set);
	else
		rest = true;
	for (uint64_t left = rest ? set : 0; left != 0; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);

		if (!filter_passes(s, first + bit))
			set &= ~((uint64_t)1 << bit);
	}
	return set;
}

uint64_t
engine_sift(const struct engine_sieve *s, uint32_t first, uint64_t set)
{
	if (s->part->masked != NULL)
		set &= ~s->part->masked[first / 64];
	if (s->attributes != NULL)
		set &= s->attributes[first / 64];
	if (!s->any && set != 0)
		set = sift_filters(s, first, set);
	if (s->q == NULL)
		return set;
	for (uint64_t left = s->q->suspects != NULL ? set & s->q->suspects[s->number][first / 64] : set; left != 0; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);

		if (engine_place_of(s->q, s->number, first + bit) == ENGINE_BEHIND)
			set &= ~((uint64_t)1 << bit);
	}
	return set;
}
