/* From the text of a query to weighted terms: stop words, correction, words written apart or together, compounds.  See engine.h. */
#include <math.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "search/query_internal.h"
#include "search/synonyms.h"
#include "search/understand.h"

#define COMPOUND_WEIGHT 0.6
#define JOIN_WEIGHT 0.7
#define SYNONYM_WEIGHT 0.4
#define SKU_MAX 64		/* bytes of a query that can be an article number */

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

/*
 * The language that the query seems to be in: stop words count most, then words that the shop's texts have in few languages.  Where languages are
 * level, the speaker's own when it is one of them.
 */
static int
lang_of(const struct parse *p, int given)
{
	double vote[TEXT_LANGS] = { 0 }, most = 0;
	int best = -1, level = 0;

	if ((p->langs & (p->langs - 1)) == 0 || p->v->n == 0)
		return -1;
	for (unsigned i = 0; i < p->w->n; i++) {
		const struct engine_word *w = &p->w->word[i];
		const struct seg *s = p->v->part[0].seg;
		const struct seg_word *known = seg_word(s, seg_word_find(s, w->s, w->n));
		unsigned in = known != NULL ? known->langs & p->langs : 0;

		for (int lang = 0; lang < TEXT_LANGS; lang++) {
			vote[lang] += in >> lang & 1 ? 1.0 / __builtin_popcount(in) : 0;
			vote[lang] += p->langs >> lang & 1 && text_is_stop(lang, w->s, w->n, w->flags) ? 2 : 0;
		}
	}
	for (int lang = 0; lang < TEXT_LANGS; lang++) {
		level = vote[lang] > most ? 1 : level + (vote[lang] >= most && most > 0);
		best = vote[lang] > most ? lang : best;
		most = fmax(most, vote[lang]);
	}
	if (level == 1)
		return best;
	return given >= 0 && most > 0 && vote[given] >= most ? given : -1;
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

/*
 * Products with a term; ids of the parts go to out.  What the first part has counts alone, so that a score stays while products change; only
 * words that are new are counted in the parts behind it.
 */
static double
look_up(const struct parse *p, const char *s, size_t n, uint32_t out[ENGINE_PARTS_MAX])
{
	double df = 0;

	for (unsigned i = 0; i < p->v->n; i++) {
		out[i] = seg_term_find(p->v->part[i].seg, s, n);
		if (out[i] != SEG_NONE && (i == 0 || out[0] == SEG_NONE))
			df += seg_list(p->v->part[i].seg, out[i]).df;
	}
	return df;
}

/* The same of an article number. */
static double
look_up_sku(const struct parse *p, const char *s, size_t n, uint32_t out[ENGINE_PARTS_MAX])
{
	double df = 0;

	for (unsigned i = 0; i < p->v->n; i++) {
		out[i] = seg_sku_find(p->v->part[i].seg, s, n);
		if (out[i] != SEG_NONE)
			df += seg_list(p->v->part[i].seg, out[i]).df;
	}
	return df;
}

double
query_idf(const struct parse *p, double df)
{
	return log(1 + (p->products - df + 0.5) / (df + 0.5) * (df < p->products));
}

unsigned
query_variants(const struct parse *p, const char *s, size_t n, struct variant out[TEXT_LANGS + 1])
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
		if (v->df <= 0 && lang < 0)
			v->df = look_up_sku(p, stem, m, v->id);
		v->factor = 1;
		for (unsigned i = 0; i < k; i++)
			again = again || memcmp(out[i].id, v->id, p->v->n * sizeof(v->id[0])) == 0;
		k += v->df > 0 && !again;
	}
	return k;
}

bool
query_is_known(const struct parse *p, const char *s, size_t n)
{
	struct variant v[TEXT_LANGS + 1];

	return query_variants(p, s, n, v) > 0;
}

void
query_add_term(struct parse *p, unsigned word, const struct variant *v, double idf)
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
				query_add_term(p, word, &one, idf);
		}
	}
}

/* All terms of a word; a rare variant weighs no more than the most frequent one. */
static void
add_word(struct parse *p, unsigned i, double factor)
{
	struct engine_word *w = &p->w->word[i];
	struct variant v[TEXT_LANGS + 1];
	unsigned n = query_variants(p, w->s, w->n, v);
	double df = 0;

	for (unsigned k = 0; k < n; k++)
		df = v[k].df > df ? v[k].df : df;
	if (n == 0)
		return;
	w->known = true;
	w->idf = query_idf(p, df) * factor;
	for (unsigned k = 0; k < n; k++)
		query_add_term(p, i, &v[k], w->idf);
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
		unsigned all = query_variants(p, same[k].s, same[k].n, v);

		for (unsigned j = 0; j < all; j++) {
			double idf = query_idf(p, v[j].df);

			v[j].factor = w->known ? SYNONYM_WEIGHT : 1;
			if (!w->known)
				w->idf = fmax(w->idf, idf);
			query_add_term(p, i, &v[j], w->known ? fmin(idf, w->idf) : idf);
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
		if (query_is_known(p, same[k].s, same[k].n))
			return true;
	return false;
}

static bool
has_digit(const struct engine_word *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->s[i] >= '0' && w->s[i] <= '9')
			return true;
	return false;
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

/* The whole query as an article number that is written with blanks. */
static void
add_whole_sku(struct parse *p, const char *text)
{
	struct variant v = { .factor = 1 };

	if (strlen(text) <= SKU_MAX && (v.df = look_up_sku(p, text, strlen(text), v.id)) > 0)
		query_add_term(p, 0, &v, query_idf(p, v.df));
}

void
engine_parse(struct ctx *c, const struct engine_view *v, const char *text, const char *locale, struct engine_words *out)
{
	struct parse p = { .c = c, .v = v, .w = out };

	*out = (struct engine_words){ .n = 0 };
	for (unsigned i = 0; i < v->n; i++) {
		p.langs |= v->part[i].seg->meta->langs;
		if (i == 0 || v->part[0].seg->docs == 0)
			p.products += v->part[i].seg->docs;
	}
	text_words(text, strlen(text), take_word, &p);
	out->lang = lang_of(&p, locale != NULL ? text_lang(locale, strlen(locale)) : -1);
	drop_stops(&p, locale);
	for (unsigned i = 0; i + 1 < out->n; i++)
		query_join(&p, i);
	for (unsigned i = 0; i < out->n; i++)
		if (!out->word[i].corrected && !(out->word[i].flags & TEXT_JOINED) && !has_digit(&out->word[i]) &&
		    !query_is_known(&p, out->word[i].s, out->word[i].n) && !has_synonym(&p, &out->word[i]) &&
		    !understand_is_word(out->word[i].s, out->word[i].n, p.langs))
			query_correct(&p, i);
	for (unsigned i = 0; i < out->n; i++) {
		add_word(&p, i, out->word[i].flags & TEXT_JOINED ? JOIN_WEIGHT : 1);
		if (!add_synonyms(&p, i) && !out->word[i].known && !(out->word[i].flags & TEXT_JOINED))
			query_add_prefix(&p, i);
	}
	if (out->n > 1)
		add_whole_sku(&p, text);
	tell_corrected(&p);
}
