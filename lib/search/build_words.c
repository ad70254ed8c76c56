/* The words of the vocabulary as people write them, the parts of compounds, and article numbers in order. */
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "search/build_internal.h"
#include "search/correct.h"

#define PART_MIN 4		/* letters of a compound's part */
#define COMPOUND_MIN 8
#define COMPOUNDS_MAX 24	/* of one part */

static bool
has_digit(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] >= '0' && s[i] <= '9')
			return true;
	return false;
}

static size_t
characters(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xC0) != 0x80;
	return count;
}

/* One entry for a word that several languages have. */
static bool
gather(const struct build *b, struct dict *texts, struct seg_word **out)
{
	struct seg_word *w = calloc((size_t)b->words.n + 1, sizeof(*w));

	if ((*out = w) == NULL)
		return false;
	for (uint32_t i = 0; i < b->words.n; i++) {
		const struct word_info *from = &b->word[i];
		size_t n;
		const char *s = dict_text(&b->words, i, &n);
		uint32_t id;
		bool added;

		if (n < 3 || has_digit(s + 1, n - 1))
			continue;
		if ((id = dict_add(texts, s + 1, n - 1, &added)) == UINT32_MAX)
			return false;
		if (added)
			w[id] = (struct seg_word){ .n = (uint8_t)(n - 1), .chars = (uint8_t)characters(s + 1, n - 1),
				.letters = correct_letters(s + 1, n - 1) };
		w[id].langs |= (uint8_t)(s[0] > 0 ? 1u << (s[0] - 1) : 0);
		w[id].title |= from->title;
		if (from->df > w[id].df)
			w[id].df = from->df;
	}
	return true;
}

struct by_length {
	const struct seg_word *w;
};

static int
compare_lengths(const void *a, const void *b, void *arg)
{
	const struct seg_word *w = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	/* w[x].text holds the place in the sorted list meanwhile. */
	if (w[x].chars != w[y].chars)
		return w[x].chars < w[y].chars ? -1 : 1;
	return w[x].text < w[y].text ? -1 : w[x].text > w[y].text;
}

static bool
put_words(struct build *b, const struct dict *texts, struct seg_word *w, uint32_t *sorted, uint32_t *order)
{
	for (uint32_t i = 0; i < texts->n; i++) {
		w[sorted[i]].text = i;
		order[i] = i;
	}
	if (texts->n > 0)
		qsort_r(order, texts->n, sizeof(*order), compare_lengths, w);
	for (uint32_t i = 0; i < texts->n; i++) {
		struct seg_word *one = &w[order[i]];
		size_t n;
		const char *s = dict_text(texts, order[i], &n);

		sorted[one->text] = i;
		one->text = (uint32_t)column_size(&b->sec[SEC_WORD_TEXT]);
		if (!build_put(b, SEC_WORD, one, sizeof(*one)) || !build_put(b, SEC_WORD_TEXT, s, n))
			return false;
	}
	b->meta.words = texts->n;
	return build_put(b, SEC_WORD_SORT, sorted, (size_t)texts->n * 4);
}

bool
build_words(struct build *b)
{
	struct dict texts = { 0 };
	struct seg_word *w = NULL;
	uint32_t *sorted = NULL, *order = NULL;
	bool ok = gather(b, &texts, &w) && (sorted = dict_sorted(&texts)) != NULL && (order = malloc(((size_t)texts.n + 1) * 4)) != NULL;

	if (!ok)
		(void)build_fail(b, "no memory for words");
	ok = ok && put_words(b, &texts, w, sorted, order);
	free(order);
	free(sorted);
	free(w);
	dict_release(&texts);
	return ok;
}

/* ---- article numbers ---- */

struct skus {
	const char *text;
	const uint32_t *at;
};

static int
compare_skus(const void *a, const void *b, void *arg)
{
	const struct skus *s = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int d = seg_sku_compare(s->text + s->at[x], s->at[x + 1] - s->at[x], s->text + s->at[y], s->at[y + 1] - s->at[y]);

	return d != 0 ? d : (x > y) - (x < y);
}

bool
build_skus(struct build *b)
{
	uint32_t n = b->meta.docs, *sorted = malloc(((size_t)n + 1) * sizeof(*sorted));
	struct skus s;
	bool ok = sorted != NULL && column_load(&b->sec[SEC_SKU]) && column_load(&b->sec[SEC_SKU_AT]);

	s.text = b->sec[SEC_SKU].p;
	s.at = (const void *)b->sec[SEC_SKU_AT].p;
	for (uint32_t i = 0; ok && i < n; i++)
		sorted[i] = i;
	if (ok && n > 1)
		qsort_r(sorted, n, sizeof(*sorted), compare_skus, &s);
	ok = (ok || build_fail(b, "no memory for article numbers")) && build_put(b, SEC_SKU_SORT, sorted, (size_t)n * sizeof(*sorted));
	free(sorted);
	return ok;
}

/* ---- compounds ---- */

#define GERMAN 3		/* in text_langs */

/* A term that can be a part: German, long enough, in several products. */
static uint32_t
part_of(const struct build *b, const struct seg_term *t, const char *s, size_t n)
{
	char stem[TEXT_WORD_MAX];
	uint32_t id;

	if (n < PART_MIN || n > TEXT_WORD_MAX)
		return SEG_NONE;
	id = dict_find(&b->terms, stem, text_stem(GERMAN, s, n, stem));
	return id != UINT32_MAX && b->term[id].langs & 1u << GERMAN && t[id].df > 1 ? id : SEG_NONE;
}

/* The two known words that a compound is made of, the longest first part, with or without a linking s, n, en, es, er or e. */
static bool
split(const struct build *b, const struct seg_term *t, const char *s, size_t n, uint32_t part[2])
{
	static const char *const links[] = { "", "s", "n", "en", "es", "er", "e" };

	for (size_t at = n - PART_MIN; at >= PART_MIN; at--) {
		uint32_t tail = part_of(b, t, s + at, n - at);

		for (size_t k = 0; tail != SEG_NONE && k < sizeof(links) / sizeof(links[0]); k++) {
			size_t link = strlen(links[k]);

			if (at < PART_MIN + link || memcmp(s + at - link, links[k], link) != 0)
				continue;
			part[0] = part_of(b, t, s, at - link);
			part[1] = tail;
			if (part[0] != SEG_NONE)
				return true;
		}
	}
	return false;
}

struct pair {
	uint32_t part, whole, df;
};

static int
compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	if (x->df != y->df)
		return x->df > y->df ? -1 : 1;
	return x->whole < y->whole ? -1 : x->whole > y->whole;
}

static bool
put_pairs(struct build *b, struct seg_term *t, const struct pair *p, size_t n)
{
	uint32_t at = 0;

	for (size_t i = 0; i < n; i++) {
		struct seg_term *part = &t[p[i].part];

		if (part->part == 0)
			part->parts = at;
		if (part->part == COMPOUNDS_MAX)
			continue;
		part->part++;
		at++;
		if (!build_put(b, SEC_PART, &p[i].whole, 4))
			return false;
	}
	return true;
}

bool
build_compounds(struct build *b, struct seg_term *t)
{
	struct pair *p = NULL;
	size_t n = 0, cap = 0;
	uint32_t part[2];
	bool ok = true;

	for (uint32_t i = 0; ok && i < b->terms.n; i++) {
		size_t len;
		const char *s = dict_text(&b->terms, i, &len);

		if (!(b->term[i].langs & 1u << GERMAN) || len < COMPOUND_MIN || t[i].df == 0 || has_digit(s, len) || !split(b, t, s, len, part))
			continue;
		if (n + 2 > cap) {
			struct pair *q = realloc(p, (cap = cap == 0 ? 256 : cap * 2) * sizeof(*p));

			if (!(ok = q != NULL))
				break;
			p = q;
		}
		p[n++] = (struct pair){ part[0], i, t[i].df };
		if (part[1] != part[0])
			p[n++] = (struct pair){ part[1], i, t[i].df };
	}
	if (n > 1)
		qsort(p, n, sizeof(*p), compare_pairs);
	ok = (ok || build_fail(b, "no memory for compounds")) && put_pairs(b, t, p, n);
	free(p);
	return ok;
}
