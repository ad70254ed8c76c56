/* Words of a query that the index does not know: corrected, split, joined, or taken as unfinished.  See query_internal.h. */
#include <math.h>
#include <string.h>

#include "core/banned.h"
#include "search/correct.h"
#include "search/query_internal.h"
#include "search/synonyms.h"

#define SPLIT_PART_MIN 3
#define END_MIN 4		/* bytes of a word that compounds may end with */
#define HEAD_MIN 4		/* bytes of the end of a compound that stands for it */
#define SPLIT_COST 0.8		/* of a blank that is missing, beside edits of distance */
#define FAR_MIN 8		/* letters of a word in which three edits are looked for */
#define PREFIX_WORDS 8
#define PREFIX_WEIGHT 0.8

static double
word_df(const struct parse *p, const char *s, size_t n)
{
	double df = 0;

	for (unsigned i = 0; i < p->v->n; i++) {
		const struct seg_word *w = seg_word(p->v->part[i].seg, seg_word_find(p->v->part[i].seg, s, n));

		df += w != NULL ? w->df : 0;
	}
	return df;
}

static void
replace(struct engine_word *w, const struct correct_guess *guess)
{
	memmove(w->s, guess->s, guess->n);
	w->n = guess->n;
	w->corrected = true;
}

static double
synonym_df(const struct parse *p, const char *s, size_t n)
{
	struct synonym same[SYNONYMS_MAX];
	size_t all = synonyms_of(s, n, same);
	double df = 0;

	for (size_t k = 0; k < all; k++) {
		struct variant v[TEXT_LANGS + 1];
		unsigned m = query_variants(p, same[k].s, same[k].n, v);

		for (unsigned j = 0; j < m; j++)
			df = v[j].df > df ? v[j].df : df;
	}
	return df;
}

/* Products with a part of a German compound, whatever its ending ("tisch" where texts have "Tische"), or with another word for it. */
static double
part_df(const struct parse *p, const char *s, size_t n)
{
	int lang = text_lang("de", 2);
	double df = word_df(p, s, n);
	char stem[TEXT_WORD_MAX];
	size_t m;

	if (df >= 2 || !(p->langs >> lang & 1))
		return df;
	m = text_stem(lang, s, n, stem);
	for (unsigned i = 0; i < p->v->n; i++) {
		uint32_t term = seg_term_find(p->v->part[i].seg, stem, m);

		df += term != SEG_NONE ? seg_list(p->v->part[i].seg, term).df : 0;
	}
	return df < 2 ? synonym_df(p, s, n) : df;
}

/* A German compound of which only the end is known is one of these: a "Stehlampe" is a lamp. */
static bool
keep_head(struct parse *p, unsigned i)
{
	struct engine_word *w = &p->w->word[i];

	if (!(p->langs >> text_lang("de", 2) & 1))
		return false;
	for (size_t at = SPLIT_PART_MIN; at + HEAD_MIN <= w->n; at++)
		if (((unsigned char)w->s[at] & 0xC0) != 0x80 && part_df(p, w->s + at, w->n - at) >= 2) {
			replace(w, &(struct correct_guess){ .s = w->s + at, .n = w->n - at });
			return true;
		}
	return false;
}

/* The best place for a missing blank; 0 for none.  *cost is on the scale of corrections. */
static size_t
split_place(const struct parse *p, const struct engine_word *w, double *cost)
{
	size_t best = 0;

	for (size_t at = SPLIT_PART_MIN; at + SPLIT_PART_MIN <= w->n; at++) {
		double a, b, now;

		if (((unsigned char)w->s[at] & 0xC0) == 0x80 || (b = part_df(p, w->s + at, w->n - at)) < 2 || (a = part_df(p, w->s, at)) < 2)
			continue;
		now = SPLIT_COST - 0.15 * log(a < b ? a : b) - 0.5;
		if (best == 0 || now < *cost) {
			best = at;
			*cost = now;
		}
	}
	return best;
}

/* Replace word i by its two parts. */
static void
split(struct parse *p, unsigned i, size_t at)
{
	struct engine_words *w = p->w;
	struct engine_word *one = &w->word[i], *two = one + 1;

	if (w->n == ENGINE_WORDS_MAX)
		return;
	memmove(two + 1, two, (w->n - i - 1) * sizeof(*two));
	w->n++;
	*two = *one;
	two->n = one->n - at;
	memmove(two->s, two->s + at, two->n);
	two->typed_n = 0;
	one->n = at;
	one->corrected = two->corrected = true;
}

/* max 0: as many edits as usual for its length. */
static bool
guess_word(const struct parse *p, const char *s, size_t n, unsigned max, struct correct_guess *guess)
{
	for (unsigned k = 0; k < p->v->n; k++)
		if (max == 0)
			correct_word(p->v->part[k].seg, s, n, guess);
		else
			correct_within(p->v->part[k].seg, s, n, max, guess);
	return guess->s != NULL && guess->n <= TEXT_WORD_MAX;
}

/* A missing blank and one more edit: "firestmick" for "fire stick". */
static bool
split_and_correct(struct parse *p, unsigned i)
{
	struct engine_word *w = &p->w->word[i];
	struct correct_guess best = { 0 };
	size_t best_at = 0;
	bool second = false;

	for (size_t at = SPLIT_PART_MIN; at + SPLIT_PART_MIN <= w->n && p->w->n < ENGINE_WORDS_MAX; at++) {
		struct correct_guess one = { 0 };
		bool head;

		if (((unsigned char)w->s[at] & 0xC0) == 0x80)
			continue;
		head = word_df(p, w->s, at) >= 2;
		if (!head && word_df(p, w->s + at, w->n - at) < 2)
			continue;
		if (!guess_word(p, head ? w->s + at : w->s, head ? w->n - at : at, 1, &one) || (best.s != NULL && best.cost <= one.cost))
			continue;
		best = one;
		best_at = at;
		second = head;
	}
	if (best_at == 0)
		return false;
	split(p, i, best_at);
	replace(&p->w->word[i + second], &best);
	return true;
}

/* Put a word among the most frequent ones; how many there are now. */
static unsigned
keep_frequent(const struct seg *s, uint32_t best[PREFIX_WORDS], unsigned n, uint32_t id)
{
	unsigned at = n < PREFIX_WORDS ? n : PREFIX_WORDS - 1;

	if (seg_word(s, id) == NULL || (n == PREFIX_WORDS && seg_word(s, best[at])->df >= seg_word(s, id)->df))
		return n;
	for (best[at] = id; at > 0 && seg_word(s, best[at - 1])->df < seg_word(s, best[at])->df; at--) {
		uint32_t t = best[at];

		best[at] = best[at - 1];
		best[at - 1] = t;
	}
	return n + (n < PREFIX_WORDS);
}

/* Search other words for word i. */
static void
add_words(struct parse *p, unsigned i, const uint32_t *id, unsigned n)
{
	struct engine_word *w = &p->w->word[i];

	for (unsigned k = 0; k < n; k++) {
		struct variant v[TEXT_LANGS + 1];
		size_t m;
		const char *text = seg_word_text(p->v->part[0].seg, id[k], &m);
		unsigned all = query_variants(p, text, m, v);

		for (unsigned j = 0; j < all; j++) {
			v[j].factor = PREFIX_WEIGHT;
			w->idf = fmax(w->idf, query_idf(p, v[j].df));
			query_add_term(p, i, &v[j], query_idf(p, v[j].df));
		}
	}
}

/* Does a longer word end with a stem and no more than two letters, which are an ending? */
static bool
ends_with(const char *text, size_t m, const char *stem, size_t n)
{
	char own[TEXT_WORD_MAX];

	for (size_t ending = 0; ending <= 2; ending++)
		if (m >= n + ending + SPLIT_PART_MIN && memcmp(text + m - n - ending, stem, n) == 0)
			return text_stem(text_lang("de", 2), text, m, own) == m - ending;
	return false;
}

/* The word itself is none, but compounds end with it: "Karte", where all are Geburtstagskarten. */
static bool
ends_words(struct parse *p, unsigned i)
{
	const struct engine_word *w = &p->w->word[i];
	const struct seg *s = p->v->n > 0 ? p->v->part[0].seg : NULL;
	uint32_t best[PREFIX_WORDS] = { 0 };
	char stem[TEXT_WORD_MAX];
	unsigned n = 0;
	uint32_t letters;
	size_t stemn;

	if (s == NULL || !(p->langs >> text_lang("de", 2) & 1) || (stemn = text_stem(text_lang("de", 2), w->s, w->n, stem)) < END_MIN)
		return false;
	letters = correct_letters(stem, stemn);
	for (uint32_t id = 0; id < s->meta->words; id++) {
		const struct seg_word *one = seg_word(s, id);
		const char *text;
		size_t m;

		if ((letters & ~one->letters) != 0 || !(one->langs >> text_lang("de", 2) & 1))
			continue;
		text = seg_word_text(s, id, &m);
		if (ends_with(text, m, stem, stemn))
			n = keep_frequent(s, best, n, id);
	}
	add_words(p, i, best, n);
	return n > 0;
}

void
query_correct(struct parse *p, unsigned i)
{
	struct engine_word *w = &p->w->word[i];
	struct correct_guess guess = { 0 };
	double cost = 0;
	size_t at;
	bool found;

	if (ends_words(p, i))
		return;
	at = split_place(p, w, &cost);
	found = guess_word(p, w->s, w->n, 0, &guess);
	if (at > 0 && (!found || cost < guess.cost))
		split(p, i, at);
	else if (found)
		replace(w, &guess);
	else if (split_and_correct(p, i) || keep_head(p, i))
		return;
	else if (w->n >= FAR_MIN && guess_word(p, w->s, w->n, 3, &guess))
		replace(w, &guess);
}

/* The parts stay when they are known. */
void
query_join(struct parse *p, unsigned i)
{
	struct engine_words *w = p->w;
	struct engine_word *a = &w->word[i], *b = a + 1;
	char both[TEXT_WORD_MAX];

	if (a->flags & TEXT_JOINED || b->flags & TEXT_JOINED || a->n + b->n > sizeof(both))
		return;
	if (query_is_known(p, a->s, a->n) && query_is_known(p, b->s, b->n))
		return;
	memcpy(both, a->s, a->n);
	memcpy(both + a->n, b->s, b->n);
	if (!query_is_known(p, both, a->n + b->n))
		return;
	memcpy(a->s, both, a->n + b->n);
	a->n += b->n;
	a->corrected = true;
	memcpy(a->typed, both, a->n);
	a->typed_n = a->n;
	memmove(b, b + 1, (w->n - i - 2) * sizeof(*b));
	w->n--;
}

void
query_add_prefix(struct parse *p, unsigned i)
{
	struct engine_word *w = &p->w->word[i];
	uint32_t from, to, best[PREFIX_WORDS] = { 0 };
	const struct seg *s;
	unsigned n = 0;

	if (p->v->n == 0 || w->n < 3)
		return;
	s = p->v->part[0].seg;
	seg_word_prefix(s, w->s, w->n, &from, &to);
	for (uint32_t k = from; k < to && k < from + 5000; k++)
		n = keep_frequent(s, best, n, seg_word_sorted(s, k));
	add_words(p, i, best, n);
}
