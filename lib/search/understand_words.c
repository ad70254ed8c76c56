/* The tables of words; their data is in words/XX.def. */
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "search/correct.h"
#include "search/text.h"
#include "search/understand_internal.h"

#define ENTRIES_MAX 4096
#define POOL_MAX 65536
#define ENDINGS_MAX 8
#define FIRST_FREE 7		/* bytes of a mistyped word whose first letter may be the wrong one */

enum { LANG_FR, LANG_EN, LANG_ES, LANG_DE };	/* as text_langs */

/* U_NOT and others are both items and phrases. */
#define WORDS(kind, value, phrases) { LANG, U_##kind, value, phrases },
#define LABEL(kind, text)
#define ENDINGS(list)
static const struct {
	uint8_t lang, kind;
	const char *value, *phrases;
} rows[] = {
#define LANG LANG_FR
#include "search/words/fr.def"
#undef LANG
#define LANG LANG_EN
#include "search/words/en.def"
#undef LANG
#define LANG LANG_ES
#include "search/words/es.def"
#undef LANG
#define LANG LANG_DE
#include "search/words/de.def"
#undef LANG
};
#undef WORDS
#undef LABEL
#define WORDS(kind, value, phrases)
#define LABEL(kind, text) [U_##kind] = text,
static const char *const labels[TEXT_LANGS][U_ITEMS] = {
	[LANG_FR] = {
#include "search/words/fr.def"
	},
	[LANG_EN] = {
#include "search/words/en.def"
	},
	[LANG_ES] = {
#include "search/words/es.def"
	},
	[LANG_DE] = {
#include "search/words/de.def"
	},
};
#undef LABEL
#undef ENDINGS
#define LABEL(kind, text)
#define ENDINGS(list) list
static const char *const endings[TEXT_LANGS] = {
	[LANG_FR] =
#include "search/words/fr.def"
	,
	[LANG_EN] =
#include "search/words/en.def"
	,
	[LANG_ES] =
#include "search/words/es.def"
	,
	[LANG_DE] =
#include "search/words/de.def"
	,
};

/* Made at the first use, and as long as the process. */
static struct u_word entry[ENTRIES_MAX];
static size_t entries;
static char pool[POOL_MAX];
static size_t pool_n;

static int
by_text(const void *x, const void *y)
{
	const struct u_word *a = x, *b = y;
	int d = memcmp(a->s, b->s, a->n < b->n ? a->n : b->n);

	if (d != 0)
		return d;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return a->kind != b->kind ? (int)a->kind - (int)b->kind : (int)a->lang - (int)b->lang;
}

static void
add_phrase(size_t row, const char *s, size_t n)
{
	size_t room = POOL_MAX - pool_n, m;

	if (entries == ENTRIES_MAX || room < n + 16)
		abort();	/* the tables outgrew their limits; the tests see that */
	m = u_fold(s, n, pool + pool_n, room);
	if (m == 0) {
		memcpy(pool + pool_n, s, n);
		m = n;
	}
	entry[entries++] = (struct u_word){ pool + pool_n, rows[row].value, (uint16_t)m, rows[row].lang, rows[row].kind };
	pool_n += m;
}

/* A phrase that ends with "~" stands for several. */
static void
add_inflected(size_t row, const char *s, size_t n)
{
	const char *e = endings[rows[row].lang], *end;
	char word[PHRASE_MAX];

	if (n == 0 || s[n - 1] != '~' || n > sizeof(word) - ENDINGS_MAX) {
		add_phrase(row, s, n);
		return;
	}
	memcpy(word, s, n - 1);
	for (;; e = end + 1) {
		size_t m = strcspn(e, "|");

		end = e + m;
		memcpy(word + n - 1, e, m < ENDINGS_MAX ? m : ENDINGS_MAX);
		add_phrase(row, word, n - 1 + m);
		if (*end == '\0')
			return;
	}
}

static void
load(void)
{
	if (entries > 0)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (const char *s = rows[i].phrases;; s++) {
			size_t n = strcspn(s, "|");

			add_inflected(i, s, n);
			s += n;
			if (*s == '\0')
				break;
		}
	qsort(entry, entries, sizeof(entry[0]), by_text);
}

const struct u_word *
u_find(const char *s, size_t n, enum understand_kind kind, unsigned langs, int prefer)
{
	struct u_word key = { s, NULL, (uint16_t)n, 0, (uint8_t)kind };
	const struct u_word *best = NULL;
	size_t lo = 0, hi;

	load();
	for (hi = entries; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_text(&entry[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < entries && entry[lo].kind == kind && entry[lo].n == n && memcmp(entry[lo].s, s, n) == 0; lo++)
		if (langs & 1u << entry[lo].lang && (best == NULL || entry[lo].lang == prefer))
			best = &entry[lo];
	return best;
}

const struct u_word *
u_next(enum understand_kind kind, size_t *at)
{
	load();
	while (*at < entries)
		if (entry[(*at)++].kind == kind)
			return &entry[*at - 1];
	return NULL;
}

bool
understand_is_word(const char *s, size_t n, unsigned langs)
{
	load();
	for (size_t i = 0; i < entries; i++) {
		const struct u_word *e = &entry[i];

		if (!(langs & 1u << e->lang) || e->kind == U_UNIT || e->kind == U_PEOPLE || e->kind == U_SIZE || e->kind == U_STYLE || e->n < n)
			continue;
		for (const char *p = e->s; p + n <= e->s + e->n; p++)
			if (memcmp(p, s, n) == 0 && (p == e->s || p[-1] == ' ') && (p + n == e->s + e->n || p[n] == ' '))
				return true;
	}
	return false;
}

/* Least bytes of words that are recognised though mistyped; 0: those of that kind are not. */
static size_t
least(enum understand_kind kind)
{
	switch (kind) {
	case U_MAX_BEFORE:
	case U_MIN_BEFORE:
	case U_BETWEEN:
	case U_CURRENCY:
		return 5;
	case U_NOT:
		return 6;
	case U_SORT:
	case U_BUDGET:
	case U_STOCK:
		return 7;
	default:
		return 0;
	}
}

const char *
u_near(const char *s, size_t n, unsigned langs, size_t *len)
{
	const char *found = NULL;

	load();
	for (size_t i = 0; i < entries; i++) {
		const struct u_word *e = &entry[i];
		size_t min = least(e->kind), m;

		if (min == 0 || !(langs & 1u << e->lang))
			continue;
		for (const char *p = e->s, *end = e->s + e->n; p < end; p += m + 1) {
			const char *blank = memchr(p, ' ', (size_t)(end - p));

			m = (size_t)((blank != NULL ? blank : end) - p);
			if (m == n && memcmp(p, s, n) == 0)
				return NULL;
			if (m < min || n < min || (p[0] != s[0] && m < FIRST_FREE) || m > n + 1 || n > m + 1 || correct_distance(s, n, p, m, 1) > 1)
				continue;
			if (found != NULL && (*len != m || memcmp(found, p, m) != 0))
				return NULL;
			found = p;
			*len = m;
		}
	}
	return found;
}

const char *
u_label(enum understand_kind kind, int lang)
{
	return labels[lang < 0 ? LANG_EN : lang][kind];
}
