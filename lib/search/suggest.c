/* Completions from the vocabulary; see suggest.h. */
#include "search/suggest.h"

#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "search/understand_shop.h"

#define CANDIDATES 48		/* most frequent words that are looked at */
#define EDIT_LEAST 3		/* bytes of a prefix that may be wrong */
#define TOGETHER_STEPS 200000	/* postings compared for one query */
#define NAME_MAX_BYTES 512

struct work {
	struct ctx *c;
	const struct seg *s;
	const char *query;
	char word[SUGGEST_WORDS_MAX][TEXT_WORD_MAX];	/* folded; the last one is unfinished */
	size_t len[SUGGEST_WORDS_MAX];
	unsigned words;
	uint32_t best[CANDIDATES];	/* words of the segment, by falling df */
	unsigned n;
	uint32_t steps;
	unsigned langs;		/* words of these are wanted */
};

static void
take_word(void *arg, const struct text_word *t)
{
	struct work *w = arg;

	if (t->flags & TEXT_JOINED || w->words == SUGGEST_WORDS_MAX)
		return;
	memcpy(w->word[w->words], t->s, t->n);
	w->len[w->words++] = t->n;
}

/* ---- words that begin so ---- */

static void
put_best(struct work *w, uint32_t id)
{
	const struct seg_word *word = seg_word(w->s, id);
	unsigned at;

	if (word == NULL || !word->title || !(word->langs & w->langs) || (w->n == CANDIDATES && seg_word(w->s, w->best[CANDIDATES - 1])->df >= word->df))
		return;
	at = w->n < CANDIDATES ? w->n++ : CANDIDATES - 1;
	for (; at > 0 && seg_word(w->s, w->best[at - 1])->df < word->df; at--)
		w->best[at] = w->best[at - 1];
	w->best[at] = id;
}

static void
begin_with(struct work *w, const char *prefix, size_t n)
{
	uint32_t from, to;

	w->n = 0;
	seg_word_prefix(w->s, prefix, n, &from, &to);
	for (uint32_t i = from; i < to; i++)
		put_best(w, seg_word_sorted(w->s, i));
}

/* ---- a prefix with an error ---- */

struct edit {
	struct work *w;
	char best[TEXT_WORD_MAX + 1];
	size_t n;
	uint64_t df;
};

static void
try_prefix(struct edit *e, const char *s, size_t n)
{
	uint32_t from, to;
	uint64_t df = 0;

	seg_word_prefix(e->w->s, s, n, &from, &to);
	for (uint32_t i = from; i < to && i < from + 1000; i++) {
		const struct seg_word *word = seg_word(e->w->s, seg_word_sorted(e->w->s, i));

		df += word != NULL && word->title ? word->df : 0;
	}
	if (df <= e->df)
		return;
	e->df = df;
	e->n = n;
	memcpy(e->best, s, n);
}

/* All prefixes one edit away that keep the first letter; of ASCII letters alone. */
static void
edit_prefix(struct edit *e, const char *s, size_t n)
{
	char text[TEXT_WORD_MAX + 1];

	for (size_t i = 1; i <= n && n < TEXT_WORD_MAX; i++) {
		memcpy(text, s, i);
		for (int ch = 'a'; ch <= 'z'; ch++) {
			text[i] = (char)ch;
			memcpy(text + i + 1, s + i, n - i);
			try_prefix(e, text, n + 1);
			if (i < n) {
				memcpy(text + i + 1, s + i + 1, n - i - 1);
				try_prefix(e, text, n);
			}
		}
		if (i < n) {
			memcpy(text + i, s + i + 1, n - i - 1);
			try_prefix(e, text, n - 1);
		}
		if (i + 1 < n) {
			text[i] = s[i + 1];
			text[i + 1] = s[i];
			memcpy(text + i + 2, s + i + 2, n - i - 2);
			try_prefix(e, text, n);
		}
	}
}

/* ---- words that products have together ---- */

static uint32_t
term_of(const struct seg *s, const char *word, size_t n)
{
	uint32_t best = SEG_NONE, df = 0;

	for (int lang = 0; lang < TEXT_LANGS; lang++) {
		char stem[TEXT_WORD_MAX];
		uint32_t id = seg_term_find(s, stem, text_stem(lang, word, n, stem));

		if (id != SEG_NONE && seg_list(s, id).df > df) {
			best = id;
			df = seg_list(s, id).df;
		}
	}
	return best;
}

static bool
meet(struct work *w, uint32_t a, uint32_t b)
{
	struct seg_list x = seg_list(w->s, a), y = seg_list(w->s, b);
	uint32_t i = 0, j = 0;

	if (a == b)
		return true;
	while (i < x.df && j < y.df && w->steps++ < TOGETHER_STEPS) {
		if (seg_doc(&x, i) == seg_doc(&y, j))
			return true;
		if (seg_doc(&x, i) < seg_doc(&y, j))
			i++;
		else
			j++;
	}
	return w->steps >= TOGETHER_STEPS;	/* nobody knows: keep it */
}

/* Does a product have the word with each of those before it?  Words that the index does not know do not count. */
static bool
fits(struct work *w, uint32_t id)
{
	size_t n;
	const char *text = seg_word_text(w->s, id, &n);
	uint32_t term = term_of(w->s, text, n);

	for (unsigned i = 0; i + 1 < w->words; i++) {
		uint32_t before = term_of(w->s, w->word[i], w->len[i]);

		if (before != SEG_NONE && term != SEG_NONE && !meet(w, before, term))
			return false;
	}
	return true;
}

/* ---- all together ---- */

/* The words before the last one as they were typed. */
static size_t
head_of(const char *query)
{
	size_t n = strlen(query);

	while (n > 0 && query[n - 1] != ' ')
		n--;
	return n;
}

static void
complete(struct work *w, struct suggestions *out)
{
	size_t head = head_of(w->query);
	uint32_t terms[SUGGEST_MAX] = { 0 };

	for (unsigned i = 0; i < w->n && out->n < SUGGEST_MAX; i++) {
		size_t n;
		const char *text = seg_word_text(w->s, w->best[i], &n);
		uint32_t term = term_of(w->s, text, n);
		bool again = false;

		for (unsigned k = 0; k < out->n; k++)
			again = again || (term != SEG_NONE && terms[k] == term);
		if (again || !fits(w, w->best[i]))
			continue;
		terms[out->n] = term;
		out->completion[out->n++] = arena_printf(w->c->a, "%.*s%.*s", (int)head, w->query, (int)n, text);
	}
}

/* Does a word of a name of the category begin so? */
static bool
category_begins(const struct seg *s, uint32_t id, const char *prefix, size_t n)
{
	size_t len, m;
	const char *text = seg_category_text(s, seg_category(s, id), &len), *end = text + len;
	const char *p = memchr(text, '\0', len), *next;
	char name[NAME_MAX_BYTES];

	for (p = p != NULL ? p + 1 : end; p + 3 < end && (next = memchr(p, '\0', (size_t)(end - p))) != NULL; p = next + 1) {
		if (next <= p + 3)
			continue;
		m = text_fold(p + 3, (size_t)(next - p) - 3, name, sizeof(name));
		for (size_t i = 0; i + n <= m; i++)
			if ((i == 0 || name[i - 1] == ' ') && memcmp(name + i, prefix, n) == 0)
				return true;
	}
	return false;
}

static void
find_categories(struct work *w, const char *prefix, size_t n, const char *locale, struct suggestions *out)
{
	size_t len;

	for (uint32_t i = 0; i < w->s->meta->categories && out->categories < SUGGEST_CATEGORIES; i++)
		if (category_begins(w->s, i, prefix, n)) {
			const char *name = understand_category_named(w->s, i, locale), *slug = seg_category_text(w->s, seg_category(w->s, i), &len);

			if (name != NULL)
				out->category[out->categories++] = (struct understand_category){ arena_strdup(w->c->a, slug), arena_strdup(w->c->a, name) };
		}
}

void
suggest(struct ctx *c, const struct engine_view *v, const char *query, const char *locale, struct suggestions *out)
{
	struct work *w = arena_zalloc(c->a, 1, sizeof(*w));
	const char *prefix;
	struct edit e = { .w = w };
	size_t n;

	*out = (struct suggestions){ .text = query };
	w->c = c;
	w->s = v->part[0].seg;
	w->query = query;
	text_words(query, strlen(query), take_word, w);
	if (w->words == 0)
		return;
	prefix = w->word[w->words - 1];
	n = w->len[w->words - 1];
	if (query[strlen(query) - 1] == ' ')
		return;
	w->langs = locale != NULL && text_lang(locale, strlen(locale)) >= 0 ? 1u << text_lang(locale, strlen(locale)) : ~0u;
	begin_with(w, prefix, n);
	if (w->n == 0) {
		w->langs = ~0u;
		begin_with(w, prefix, n);
	}
	if (w->n == 0 && n >= EDIT_LEAST) {
		edit_prefix(&e, prefix, n);
		if (e.df > 0) {
			begin_with(w, e.best, e.n);
			prefix = e.best;
			n = e.n;
		}
	}
	complete(w, out);
	find_categories(w, prefix, n, locale, out);
	if (out->n > 0 && seg_word_find(w->s, w->word[w->words - 1], w->len[w->words - 1]) == SEG_NONE)
		out->text = out->completion[0];
}
