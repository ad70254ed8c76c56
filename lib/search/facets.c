/*
 * How many of the products that match have each category, brand and colour; see engine.h.  Counts are exact over all parts.  A value is known by
 * its name: parts number their values differently, and one part may have a colour several times, with different translations.
 */
#include <string.h>

#include "core/banned.h"
#include "search/engine.h"

#define COLUMNS 3

static const enum seg_section sections[COLUMNS] = { SEC_CATEGORY, SEC_BRAND, SEC_COLOUR };

/* How often each value of a part is there. */
struct tally {
	uint32_t values;
	uint32_t *count;	/* one more, for products that have none */
};

/* Counts by name: open addressing, FNV-1a. */
struct names {
	struct engine_count *value;
	uint32_t n, *slot, mask;	/* slot: number + 1, 0 free */
};

static uint32_t
values_of(const struct seg *s, enum seg_section which)
{
	return which == SEC_CATEGORY ? s->meta->categories : seg_values(s, which);
}

/* All columns in one go: what counting costs is waiting for memory, and several products can be waited for at once. */
static uint64_t
count_part(struct ctx *c, const struct seg *s, const uint64_t *set, struct tally of[COLUMNS])
{
	const uint32_t *category = s->category, *brand = s->brand, *colour = s->colour;
	uint64_t all = 0;

	for (unsigned k = 0; k < COLUMNS; k++) {
		of[k].values = values_of(s, sections[k]);
		of[k].count = arena_zalloc(c->a, (size_t)of[k].values + 1, sizeof(uint32_t));
	}
	for (size_t i = 0; i <= s->docs / 64; i++)
		for (uint64_t rest = set[i]; rest != 0; rest &= rest - 1, all++) {
			size_t doc = i * 64 + (unsigned)__builtin_ctzll(rest);

			of[0].count[category[doc] < of[0].values ? category[doc] : of[0].values]++;
			of[1].count[brand[doc] < of[1].values ? brand[doc] : of[1].values]++;
			of[2].count[colour[doc] < of[2].values ? colour[doc] : of[2].values]++;
		}
	return all;
}

static const char *
value_name(const struct seg *s, enum seg_section which, uint32_t value, size_t *n)
{
	const char *text, *end;
	size_t m;

	if (which == SEC_CATEGORY)
		text = seg_category_text(s, seg_category(s, value), &m);
	else
		text = seg_value_text(s, which, value, &m);
	end = memchr(text, '\0', m);
	*n = end != NULL ? (size_t)(end - text) : 0;
	return text;
}

/* The count that a value of the first part needs to be told when the other parts have `others` products: what is less need not be named. */
static uint32_t
least_of(const struct tally *t, uint64_t others)
{
	uint32_t best[ENGINE_FACET_MAX] = { 0 };

	for (uint32_t i = 0; i < t->values; i++) {
		unsigned at = ENGINE_FACET_MAX;

		if (t->count[i] <= best[ENGINE_FACET_MAX - 1])
			continue;
		for (at--; at > 0 && best[at - 1] < t->count[i]; at--)
			best[at] = best[at - 1];
		best[at] = t->count[i];
	}
	return best[ENGINE_FACET_MAX - 1] > others + 1 ? (uint32_t)(best[ENGINE_FACET_MAX - 1] - others) : 1;
}

static void
add_name(struct names *t, const char *name, size_t n, uint32_t count)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	for (h &= t->mask; t->slot[h] != 0; h = (h + 1) & t->mask) {
		struct engine_count *v = &t->value[t->slot[h] - 1];

		if (v->n == n && memcmp(v->name, name, n) == 0) {
			v->count += count;
			return;
		}
	}
	t->value[t->n] = (struct engine_count){ name, n, count };
	t->slot[h] = ++t->n;
}

static uint32_t
count_from(const struct tally *t, uint32_t least)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->values; i++)
		n += t->count[i] >= least;
	return n;
}

/* More products first, then by name. */
static bool
is_before(const struct engine_count *a, const struct engine_count *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int order = a->count == b->count ? memcmp(a->name, b->name, n) : 0;

	return a->count != b->count ? a->count > b->count : order != 0 ? order < 0 : a->n < b->n;
}

static void
keep_best(const struct names *t, struct engine_facet *out)
{
	out->n = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		unsigned at = out->n;

		for (; at > 0 && is_before(&t->value[i], &out->value[at - 1]); at--)
			if (at < ENGINE_FACET_MAX)
				out->value[at] = out->value[at - 1];
		if (at == ENGINE_FACET_MAX)
			continue;
		out->value[at] = t->value[i];
		out->n += out->n < ENGINE_FACET_MAX;
	}
}

static void
put_facet(struct ctx *c, const struct engine_view *v, struct tally (*of)[COLUMNS], unsigned k, uint64_t others, struct engine_facet *out)
{
	uint32_t least = sections[k] == SEC_COLOUR ? 1 : least_of(&of[0][k], others), room = 0, slots = 4;
	struct names t = { .n = 0 };

	for (unsigned p = 0; p < v->n; p++)
		room += count_from(&of[p][k], p == 0 ? least : 1);
	while (slots < 2 * room)
		slots *= 2;
	t.value = arena_alloc(c->a, ((size_t)room + 1) * sizeof(*t.value));
	t.slot = arena_zalloc(c->a, slots, sizeof(*t.slot));
	t.mask = slots - 1;
	for (unsigned p = 0; p < v->n; p++)
		for (uint32_t i = 0; i < of[p][k].values; i++) {
			size_t n;
			const char *name;

			if (of[p][k].count[i] < (p == 0 ? least : 1))
				continue;
			name = value_name(v->part[p].seg, sections[k], i, &n);
			if (n > 0)
				add_name(&t, name, n, of[p][k].count[i]);
		}
	keep_best(&t, out);
}

void
engine_facets(struct ctx *c, const struct engine_view *v, uint64_t *const *set, struct engine_result *out)
{
	struct tally (*of)[COLUMNS] = arena_alloc(c->a, (v->n + 1) * sizeof(*of));
	uint64_t others = 0;

	if (v->n == 0)
		return;
	for (unsigned p = 0; p < v->n; p++) {
		uint64_t n = count_part(c, v->part[p].seg, set[p], of[p]);

		others += p > 0 ? n : 0;
	}
	put_facet(c, v, of, 0, others, &out->category);
	put_facet(c, v, of, 1, others, &out->brand);
	put_facet(c, v, of, 2, others, &out->colour);
}
