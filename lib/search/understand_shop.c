/* What the shop has, out of the index; see understand_shop.h. */
#include "search/understand_shop.h"

#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"

#define NAME_MAX_BYTES 512
#define LOOK_AT_MAX 2000	/* products whose name is compared */

struct name {
	uint32_t hash, value;
};

struct names {
	struct name *row;
	size_t n, cap;
};

/* Of the file that is mapped now. */
static struct {
	int64_t built_ms;
	uint64_t size;
	uint32_t checksum;
	bool made;
	struct names category, colour, colour_word, brand;
} known;

/* FNV-1a. */
static uint32_t
hash_of(const char *s, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

static int
by_hash(const void *x, const void *y)
{
	const struct name *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

static void
put(struct names *to, uint32_t hash, uint32_t value)
{
	if (to->n == to->cap) {
		to->cap = to->cap > 0 ? to->cap * 2 : 64;
		to->row = realloc(to->row, to->cap * sizeof(*to->row));	/* stops the process when there is none left */
	}
	to->row[to->n++] = (struct name){ hash, value };
}

static const struct name *
first_with(const struct names *in, uint32_t hash)
{
	size_t lo = 0, hi = in->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (in->row[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < in->n && in->row[lo].hash == hash ? &in->row[lo] : NULL;
}

/* ---- reading the index ---- */

/* A folded name with each word as its stem in a language. */
static size_t
stems_of(int lang, const char *s, size_t n, char out[NAME_MAX_BYTES])
{
	size_t m = 0;

	for (size_t i = 0; i < n;) {
		const char *end = memchr(s + i, ' ', n - i);
		size_t len = end != NULL ? (size_t)(end - s) - i : n - i;
		char stem[TEXT_WORD_MAX];
		size_t k = text_stem(lang, s + i, len, stem);

		if (m + k + 1 >= NAME_MAX_BYTES)
			return m;
		if (m > 0)
			out[m++] = ' ';
		memcpy(out + m, stem, k);
		m += k;
		i += len + 1;
	}
	return m;
}

/* Names of a category: "fr=Lampes" and so on behind the slug, each as it is and as stems. */
static void
put_category(struct names *to, const struct seg *s, uint32_t id)
{
	size_t n, m;
	const char *text = seg_category_text(s, seg_category(s, id), &n), *end = text + n;
	const char *p = memchr(text, '\0', n), *next;
	char folded[NAME_MAX_BYTES], stems[NAME_MAX_BYTES];

	for (p = p != NULL ? p + 1 : end; p + 3 < end; p = next + 1) {
		if ((next = memchr(p, '\0', (size_t)(end - p))) == NULL)
			return;
		if (next <= p + 3 || (m = text_fold(p + 3, (size_t)(next - p) - 3, folded, sizeof(folded))) == 0)
			continue;
		put(to, hash_of(folded, m), id);
		m = stems_of(text_lang(p, 2), folded, m, stems);
		put(to, hash_of(stems, m), id);
	}
}

static void
put_values(struct names *to, const struct seg *s, enum seg_section which)
{
	uint32_t all = seg_values(s, which);

	for (uint32_t i = 0; i < all; i++) {
		size_t n;
		const char *text = seg_value_text(s, which, i, &n), *end = text + n;
		const char *p = memchr(text, '\0', n), *next;

		for (p = p != NULL ? p + 1 : end; p < end; p = next + 1) {
			if ((next = memchr(p, '\0', (size_t)(end - p))) == NULL)
				next = end;
			if (next > p)
				put(to, hash_of(p, (size_t)(next - p)), i);
		}
	}
}

/* The single words of colours' names. */
static void
put_colour_words(const struct seg *s)
{
	uint32_t all = seg_values(s, SEC_COLOUR);

	for (uint32_t i = 0; i < all; i++) {
		size_t n;
		const char *text = seg_value_text(s, SEC_COLOUR, i, &n), *end = text + n, *p = memchr(text, '\0', n);

		while (p != NULL && p < end) {
			size_t len = 0;

			for (p++; p + len < end && p[len] != ' ' && p[len] != '\0';)
				len++;
			if (len > 0)
				put(&known.colour_word, hash_of(p, len), i);
			p += len;
		}
	}
}

static void
sort_names(struct names *in)
{
	if (in->n > 0)
		qsort(in->row, in->n, sizeof(*in->row), by_hash);
}

static void
make_known(const struct seg *s)
{
	if (known.made && known.built_ms == s->header->built_ms && known.size == s->header->size && known.checksum == s->header->checksum)
		return;
	known.category.n = known.colour.n = known.colour_word.n = known.brand.n = 0;
	for (uint32_t i = 0; i < s->meta->categories; i++)
		put_category(&known.category, s, i);
	put_values(&known.brand, s, SEC_BRAND);
	if (seg_values(s, SEC_COLOUR) <= UNDERSTAND_COLOURS_MAX) {
		put_values(&known.colour, s, SEC_COLOUR);
		put_colour_words(s);
	}
	sort_names(&known.category);
	sort_names(&known.brand);
	sort_names(&known.colour);
	sort_names(&known.colour_word);
	known.made = true;
	known.built_ms = s->header->built_ms;
	known.size = s->header->size;
	known.checksum = s->header->checksum;
}

/* ---- the callbacks ---- */

static const struct seg *
seg_of(const void *arg)
{
	const struct engine_view *v = arg;

	return v->part[0].seg;
}

/* The name of a category in a language; the first one without it. */
static const char *
category_name(const struct seg *s, uint32_t id, int lang)
{
	size_t n;
	const char *text = seg_category_text(s, seg_category(s, id), &n), *end = text + n;
	const char *p = memchr(text, '\0', n), *next, *first = NULL;

	for (p = p != NULL ? p + 1 : end; p + 3 < end && (next = memchr(p, '\0', (size_t)(end - p))) != NULL; p = next + 1) {
		if (first == NULL)
			first = p + 3;
		if (text_lang(p, 2) == lang)
			return p + 3;
	}
	return first;
}

/* One category and no other, whatever language names it so. */
static bool
is_category(const void *arg, const char *phrase, size_t n, int locale, struct understand_category *out)
{
	const struct seg *s = seg_of(arg);
	uint32_t id = SEG_NONE;
	size_t len;

	for (int lang = -1; lang < TEXT_LANGS; lang++) {
		char stems[NAME_MAX_BYTES];
		size_t m = stems_of(lang, phrase, n, stems);
		uint32_t hash = hash_of(stems, m);
		const struct name *row = m > 0 ? first_with(&known.category, hash) : NULL;

		for (; row != NULL && row < known.category.row + known.category.n && row->hash == hash; row++) {
			if (id != SEG_NONE && row->value != id)
				return false;
			id = row->value;
		}
	}
	if (id == SEG_NONE || seg_category(s, id) == NULL)
		return false;
	out->slug = seg_category_text(s, seg_category(s, id), &len);
	out->name = category_name(s, id, locale);
	return out->name != NULL;
}

static const char *
is_colour(const void *arg, const char *phrase, size_t n)
{
	const struct seg *s = seg_of(arg);
	uint32_t hash = hash_of(phrase, n);
	const struct name *row = first_with(&known.colour, hash);
	size_t len;

	if (row != NULL)
		return seg_value_text(s, SEC_COLOUR, row->value, &len);
	return first_with(&known.colour_word, hash) != NULL ? "" : NULL;
}

static bool
is_word(const void *arg, const char *word, size_t n)
{
	return seg_word_find(seg_of(arg), word, n) != SEG_NONE;
}

static bool
is_brand(const void *arg, const char *phrase, size_t n)
{
	(void)arg;
	return first_with(&known.brand, hash_of(phrase, n)) != NULL;
}

bool
understand_colour_is(const struct seg *s, uint32_t colour, const char *folded, size_t n, bool part)
{
	size_t len;
	const char *text, *p, *end, *next;

	if (colour == SEG_NONE)
		return false;
	text = seg_value_text(s, SEC_COLOUR, colour, &len);
	end = text + len;
	for (p = memchr(text, '\0', len); p != NULL && p + 1 < end; p = next) {
		p++;
		if ((next = memchr(p, '\0', (size_t)(end - p))) == NULL)
			next = end;
		for (size_t i = 0; p + i + n <= next; i++) {
			bool starts = i == 0 || (part && p[i - 1] == ' '), ends = p + i + n == next || (part && p[i + n] == ' ');

			if (starts && ends && memcmp(p + i, folded, n) == 0)
				return true;
		}
	}
	return false;
}

/* Is b right behind a in the product's name, and its colour another one? */
static bool
named_so(const struct seg *s, uint32_t doc, uint32_t a, uint32_t b, const char *colour)
{
	uint32_t title[SEG_TITLE_MAX];
	size_t n = seg_title(s, doc, title);

	for (size_t i = 0; i + 1 < n; i++)
		if (title[i] == a && title[i + 1] == b)
			return colour == NULL || !understand_colour_is(s, s->colour[doc], colour, strlen(colour), true);
	return false;
}

/* The products with both terms, looked through from the shorter list. */
static bool
names_have(const struct seg *s, uint32_t a, uint32_t b, const char *colour)
{
	struct seg_list x = seg_list(s, a), y = seg_list(s, b);
	uint32_t i = 0, j = 0, looked = 0;

	while (i < x.df && j < y.df && looked < LOOK_AT_MAX) {
		if (seg_doc(&x, i) == seg_doc(&y, j)) {
			looked++;
			if (seg_doc(&x, i) < s->docs && named_so(s, seg_doc(&x, i), a, b, colour))
				return true;
			i++;
			j++;
		} else if (seg_doc(&x, i) < seg_doc(&y, j)) {
			i++;
		} else {
			j++;
		}
	}
	return false;
}

static bool
is_named(const void *arg, const char *phrase, size_t n, const char *colour)
{
	const struct seg *s = seg_of(arg);
	const char *blank = memchr(phrase, ' ', n);
	char folded[NAME_MAX_BYTES];
	size_t first = blank != NULL ? (size_t)(blank - phrase) : 0, second = blank != NULL ? n - first - 1 : 0;

	if (colour != NULL) {
		text_fold(colour, strlen(colour), folded, sizeof(folded));
		colour = folded;
	}
	for (int lang = 0; lang < TEXT_LANGS && blank != NULL; lang++) {
		char one[TEXT_WORD_MAX], two[TEXT_WORD_MAX];
		uint32_t a, b;

		if (!(s->meta->langs & 1u << lang))
			continue;
		a = seg_term_find(s, one, text_stem(lang, phrase, first, one));
		b = seg_term_find(s, two, text_stem(lang, blank + 1, second, two));
		if (a != SEG_NONE && b != SEG_NONE && names_have(s, a, b, colour))
			return true;
	}
	return false;
}

/* *negated: a name says so; false: a name has both words, and the second one not negated. */
static bool
all_negate(const struct seg *s, uint32_t before, uint32_t not, uint32_t word, bool *negated)
{
	struct seg_list x = seg_list(s, before), y = seg_list(s, word);
	uint32_t i = 0, j = 0, looked = 0, title[SEG_TITLE_MAX];

	while (i < x.df && j < y.df && looked < LOOK_AT_MAX) {
		uint32_t a = seg_doc(&x, i), b = seg_doc(&y, j);
		size_t n = a == b && a < s->docs ? seg_title(s, a, title) : 0;

		for (size_t k = 0; k < n; k++)
			if (title[k] == word && !(k > 0 && title[k - 1] == not))
				return false;
			else if (title[k] == word)
				*negated = true;
		looked += a == b;
		i += a <= b;
		j += b <= a;
	}
	return true;
}

static bool
is_only_negated(const void *arg, const char *before, const char *not, const char *word)
{
	const struct seg *s = seg_of(arg);
	bool negated = false;

	for (int lang = 0; lang < TEXT_LANGS; lang++) {
		char stem[TEXT_WORD_MAX];
		uint32_t a, b, c;

		if (!(s->meta->langs & 1u << lang))
			continue;
		a = seg_term_find(s, stem, text_stem(lang, before, strlen(before), stem));
		b = seg_term_find(s, stem, text_stem(lang, not, strlen(not), stem));
		c = seg_term_find(s, stem, text_stem(lang, word, strlen(word), stem));
		if (a != SEG_NONE && b != SEG_NONE && c != SEG_NONE && !all_negate(s, a, b, c, &negated))
			return false;
	}
	return negated;
}

void
understand_shop_of(const struct engine_view *v, struct understand_shop *out)
{
	*out = (struct understand_shop){ .currency = cfg_str("SHOP_CURRENCY"), .langs = (1u << TEXT_LANGS) - 1, .arg = v };
	if (v == NULL || v->n == 0)
		return;
	make_known(v->part[0].seg);
	out->category = is_category;
	out->colour = is_colour;
	out->word = is_word;
	out->brand = is_brand;
	out->in_names = is_named;
	out->only_negated = is_only_negated;
}

const char *
understand_category_named(const struct seg *s, uint32_t id, const char *locale)
{
	return category_name(s, id, locale != NULL ? text_lang(locale, strlen(locale)) : -1);
}

const char *
understand_category_name(const struct engine_view *v, const char *slug, size_t n, const char *locale)
{
	const struct seg *s = v->part[0].seg;

	for (uint32_t i = 0; i < s->meta->categories; i++) {
		size_t len;
		const char *text = seg_category_text(s, seg_category(s, i), &len);

		if (len > n && text[n] == '\0' && memcmp(text, slug, n) == 0)
			return understand_category_named(s, i, locale);
	}
	return NULL;
}
