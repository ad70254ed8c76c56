/* From the text of a query to weighted terms: stop words, correction, words written apart or together, compounds.  See engine.h. */
#include <math.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "search/correct.h"
#include "search/engine.h"
#include "search/synonyms.h"

#define COMPOUND_WEIGHT 0.6
#define SPLIT_PART_MIN 3
#define SPLIT_COST 0.8		/* of a blank that is missing, beside edits of distance */
#define FAR_MIN 8		/* letters of a word in which three edits are looked for */
#define JOIN_WEIGHT 0.7
#define SYNONYM_WEIGHT 0.4
#define PREFIX_WORDS 8
#define PREFIX_WEIGHT 0.8

struct parse {
	struct ctx *c;
	const struct engine_view *v;
	struct engine_words *w;
	uint32_t langs;		/* of all parts */
	double products;
};

/* ---- words ---- */

static void
take_word(void *arg, const struct text_word *t)
{
	struct parse *p = arg;
	struct engine_word *w;

	if (p->w->n == ENGINE_WORDS_MAX)
		return;
	for (unsigned i = 0; i < p->w->n; i++)
		if (p->w->word[i].n == t->n && memcmp(p->w->word[i].s, t->s, t->n) == 0)
			return;
	w = &p->w->word[p->w->n++];
	*w = (struct engine_word){ .n = t->n, .typed_n = t->n, .flags = t->flags };
	memcpy(w->s, t->s, t->n);
	memcpy(w->typed, t->s, t->n);
}

/* How many words are stop words of a language. */
static unsigned
stops_of(const struct engine_words *w, int lang)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n; i++)
		n += text_is_stop(lang, w->word[i].s, w->word[i].n, w->word[i].flags);
	return n;
}

/* Leave out the stop words of the language that the query seems to be in, unless nothing would remain. */
static void
drop_stops(struct parse *p, const char *locale)
{
	struct engine_words *w = p->w;
	int best = -1, given = locale != NULL ? text_lang(locale, strlen(locale)) : -1;
	unsigned most = 0, kept = 0;

	for (int lang = 0; lang < TEXT_LANGS; lang++) {
		unsigned n = p->langs & 1u << lang ? 2 * stops_of(w, lang) : 0;

		if (n > 0 && n + (lang == given) > most) {
			most = n + (lang == given);
			best = lang;
		}
	}
	if (best < 0 || most / 2 >= w->n)
		return;
	for (unsigned i = 0; i < w->n; i++)
		if (!text_is_stop(best, w->word[i].s, w->word[i].n, w->word[i].flags))
			w->word[kept++] = w->word[i];
	w->n = kept;
}

/* ---- terms ---- */

/* Products with a term; ids of the parts go to out. */
static double
look_up(const struct parse *p, const char *s, size_t n, uint32_t out[ENGINE_PARTS_MAX])
{
	double df = 0;

	for (unsigned i = 0; i < p->v->n; i++) {
		out[i] = seg_term_find(p->v->part[i].seg, s, n);
		if (out[i] != SEG_NONE)
			df += seg_list(p->v->part[i].seg, out[i]).df;
	}
	return df;
}

static double
idf_of(const struct parse *p, double df)
{
	return log(1 + (p->products - df + 0.5) / (df + 0.5) * (df < p->products));
}

struct variant {
	uint32_t id[ENGINE_PARTS_MAX];
	double df, factor;
};

/* The stems of a word in the shop's languages, those that the index has. */
static unsigned
variants(const struct parse *p, const char *s, size_t n, struct variant out[TEXT_LANGS + 1])
{
	unsigned k = 0;

	for (int lang = -1; lang < TEXT_LANGS; lang++) {
		char stem[TEXT_WORD_MAX];
		struct variant *v = &out[k];
		size_t m;
		bool again = false;

		if (lang >= 0 && !(p->langs & 1u << lang))
			continue;
		m = text_stem(lang, s, n, stem);
		v->df = look_up(p, stem, m, v->id);
		v->factor = 1;
		for (unsigned i = 0; i < k; i++)
			again = again || memcmp(out[i].id, v->id, p->v->n * sizeof(v->id[0])) == 0;
		k += v->df > 0 && !again;
	}
	return k;
}

static bool
is_known(const struct parse *p, const char *s, size_t n)
{
	struct variant v[TEXT_LANGS + 1];

	return variants(p, s, n, v) > 0;
}

static void
add_term(struct parse *p, unsigned word, const struct variant *v, double idf)
{
	struct engine_words *w = p->w;
	struct engine_term *t;

	if (w->terms == ENGINE_TERMS_MAX)
		return;
	for (unsigned i = 0; i < w->terms; i++)
		if (memcmp(w->term[i].id, v->id, p->v->n * sizeof(v->id[0])) == 0)
			return;
	t = &w->term[w->terms++];
	memcpy(t->id, v->id, sizeof(t->id));
	t->weight = (uint32_t)lround(idf * v->factor * 256);
	t->word = (uint8_t)word;
}

/* Compounds that contain the term (a German "lampe" finds the "wandlampe"). */
static void
add_compounds(struct parse *p, unsigned word, const struct variant *v, double idf)
{
	for (unsigned i = 0; i < p->v->n; i++) {
		size_t n;
		const uint32_t *whole = v->id[i] != SEG_NONE ? seg_compounds(p->v->part[i].seg, v->id[i], &n) : NULL;

		for (size_t k = 0; whole != NULL && k < n; k++) {
			struct variant one = { .factor = COMPOUND_WEIGHT };
			size_t m;
			const char *s = seg_term_text(p->v->part[i].seg, whole[k], &m);

			one.df = look_up(p, s, m, one.id);
			if (one.df > 0)
				add_term(p, word, &one, idf);
		}
	}
}

/* All terms of a word; a rare variant weighs no more than the most frequent one. */
static void
add_word(struct parse *p, unsigned i, double factor)
{
	struct engine_word *w = &p->w->word[i];
	struct variant v[TEXT_LANGS + 1];
	unsigned n = variants(p, w->s, w->n, v);
	double df = 0;

	for (unsigned k = 0; k < n; k++)
		df = v[k].df > df ? v[k].df : df;
	if (n == 0)
		return;
	w->known = true;
	w->idf = idf_of(p, df) * factor;
	for (unsigned k = 0; k < n; k++)
		add_term(p, i, &v[k], w->idf);
	for (unsigned k = 0; k < n; k++)
		add_compounds(p, i, &v[k], w->idf);
}

/* Synonyms of a word weigh less than the word; when the index does not have it they stand for it. */
static bool
add_synonyms(struct parse *p, unsigned i)
{
	struct engine_word *w = &p->w->word[i];
	struct synonym same[SYNONYMS_MAX];
	size_t n = synonyms_of(w->s, w->n, same);
	bool any = false;

	for (size_t k = 0; k < n; k++) {
		struct variant v[TEXT_LANGS + 1];
		unsigned all = variants(p, same[k].s, same[k].n, v);

		for (unsigned j = 0; j < all; j++) {
			double idf = idf_of(p, v[j].df);

			v[j].factor = w->known ? SYNONYM_WEIGHT : 1;
			if (!w->known)
				w->idf = fmax(w->idf, idf);
			add_term(p, i, &v[j], w->known ? fmin(idf, w->idf) : idf);
			any = true;
		}
	}
	return any;
}

static bool
has_synonym(const struct parse *p, const struct engine_word *w)
{
	struct synonym same[SYNONYMS_MAX];
	size_t n = synonyms_of(w->s, w->n, same);

	for (size_t k = 0; k < n; k++)
		if (is_known(p, same[k].s, same[k].n))
			return true;
	return false;
}

/* ---- words that the index does not know ---- */

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

/* The best place for a missing blank; 0 for none.  *cost is on the scale of corrections. */
static size_t
split_place(const struct parse *p, const struct engine_word *w, double *cost)
{
	size_t best = 0;

	for (size_t at = SPLIT_PART_MIN; at + SPLIT_PART_MIN <= w->n; at++) {
		double a, b, now;

		if (((unsigned char)w->s[at] & 0xC0) == 0x80 || (b = word_df(p, w->s + at, w->n - at)) < 2 || (a = word_df(p, w->s, at)) < 2)
			continue;
		now = SPLIT_COST - 0.15 * log(a < b ? a : b) - 0.5;
		if (best == 0 || now < *cost) {
			best = at;
			*cost = now;
		}
	}
	return best;
}

static bool
has_digit(const struct engine_word *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->s[i] >= '0' && w->s[i] <= '9')
			return true;
	return false;
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

static void
replace(struct engine_word *w, const struct correct_guess *guess)
{
	memcpy(w->s, guess->s, guess->n);
	w->n = guess->n;
	w->corrected = true;
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

/* The nearest word, or two of them; where nothing is near, what is a little farther. */
static void
correct(struct parse *p, unsigned i)
{
	struct engine_word *w = &p->w->word[i];
	struct correct_guess guess = { 0 };
	double cost = 0;
	size_t at = split_place(p, w, &cost);
	bool found = guess_word(p, w->s, w->n, 0, &guess);

	if (at > 0 && (!found || cost < guess.cost))
		split(p, i, at);
	else if (found)
		replace(w, &guess);
	else if (!split_and_correct(p, i) && w->n >= FAR_MIN && guess_word(p, w->s, w->n, 3, &guess))
		replace(w, &guess);
}

/* Two neighbours that only together are a word: "fire stick" for firestick.  The parts stay when they are known. */
static void
join(struct parse *p, unsigned i)
{
	struct engine_words *w = p->w;
	struct engine_word *a = &w->word[i], *b = a + 1;
	char both[TEXT_WORD_MAX];

	if (a->flags & TEXT_JOINED || b->flags & TEXT_JOINED || a->n + b->n > sizeof(both))
		return;
	if (is_known(p, a->s, a->n) && is_known(p, b->s, b->n))
		return;
	memcpy(both, a->s, a->n);
	memcpy(both + a->n, b->s, b->n);
	if (!is_known(p, both, a->n + b->n))
		return;
	memcpy(a->s, both, a->n + b->n);
	a->n += b->n;
	a->corrected = true;
	memcpy(a->typed, both, a->n);
	a->typed_n = a->n;
	memmove(b, b + 1, (w->n - i - 2) * sizeof(*b));
	w->n--;
}

/* The most frequent words that begin like an unknown one: it may be unfinished. */
static void
add_prefix(struct parse *p, unsigned i)
{
	struct engine_word *w = &p->w->word[i];
	uint32_t from, to, best[PREFIX_WORDS];
	const struct seg *s;
	unsigned n = 0;

	if (p->v->n == 0 || w->n < 3)
		return;
	s = p->v->part[0].seg;
	seg_word_prefix(s, w->s, w->n, &from, &to);
	for (uint32_t k = from; k < to && k < from + 5000; k++) {
		uint32_t id = seg_word_sorted(s, k), at = n < PREFIX_WORDS ? n : PREFIX_WORDS - 1;

		if (seg_word(s, id) == NULL || (n == PREFIX_WORDS && seg_word(s, best[at])->df >= seg_word(s, id)->df))
			continue;
		n += n < PREFIX_WORDS;
		for (best[at] = id; at > 0 && seg_word(s, best[at - 1])->df < seg_word(s, best[at])->df; at--) {
			uint32_t t = best[at];

			best[at] = best[at - 1];
			best[at - 1] = t;
		}
	}
	for (unsigned k = 0; k < n; k++) {
		struct variant v[TEXT_LANGS + 1];
		size_t m;
		const char *text = seg_word_text(s, best[k], &m);
		unsigned all = variants(p, text, m, v);

		for (unsigned j = 0; j < all; j++) {
			v[j].factor = PREFIX_WEIGHT;
			w->idf = fmax(w->idf, idf_of(p, v[j].df));
			add_term(p, i, &v[j], idf_of(p, v[j].df));
		}
	}
}

static void
tell_corrected(struct parse *p)
{
	struct engine_words *w = p->w;
	struct buf b;

	buf_init(&b, p->c->a, 128, 8192);
	for (unsigned i = 0; i < w->n; i++) {
		const struct engine_word *one = &w->word[i];

		if (!one->corrected || one->typed_n == 0 || (one->n == one->typed_n && memcmp(one->s, one->typed, one->n) == 0))
			continue;
		buf_putc(&b, b.n == 0 ? '{' : ',');
		buf_json_string(&b, one->typed, one->typed_n);
		buf_puts(&b, ":\"");
		buf_put(&b, one->s, one->n);
		if (i + 1 < w->n && w->word[i + 1].corrected && w->word[i + 1].typed_n == 0) {
			buf_putc(&b, ' ');
			buf_put(&b, w->word[i + 1].s, w->word[i + 1].n);
		}
		buf_putc(&b, '"');
	}
	if (b.n > 0) {
		buf_putc(&b, '}');
		w->corrected = buf_str(&b);
	}
}

void
engine_parse(struct ctx *c, const struct engine_view *v, const char *text, const char *locale, struct engine_words *out)
{
	struct parse p = { .c = c, .v = v, .w = out };

	*out = (struct engine_words){ .n = 0 };
	for (unsigned i = 0; i < v->n; i++) {
		p.langs |= v->part[i].seg->meta->langs;
		p.products += v->part[i].seg->docs;
	}
	text_words(text, strlen(text), take_word, &p);
	drop_stops(&p, locale);
	for (unsigned i = 0; i + 1 < out->n; i++)
		join(&p, i);
	for (unsigned i = 0; i < out->n; i++)
		if (!out->word[i].corrected && !(out->word[i].flags & TEXT_JOINED) && !has_digit(&out->word[i]) &&
		    !is_known(&p, out->word[i].s, out->word[i].n) && !has_synonym(&p, &out->word[i]))
			correct(&p, i);
	for (unsigned i = 0; i < out->n; i++) {
		add_word(&p, i, out->word[i].flags & TEXT_JOINED ? JOIN_WEIGHT : 1);
		if (!add_synonyms(&p, i) && !out->word[i].known && !(out->word[i].flags & TEXT_JOINED))
			add_prefix(&p, i);
	}
	tell_corrected(&p);
}
