/* See unwanted.h. */
#include "search/unwanted.h"

#include <string.h>

#include "core/banned.h"
#include "search/correct.h"
#include "search/understand_shop.h"

#define CORRECT_LEAST 5		/* bytes; shorter ones would become anything */
#define BACK_MAX 4		/* terms between a negation and the word */

/* Terms of one part. */
struct signs {
	uint32_t term[UNWANTED_SIGNS_MAX];
	unsigned n;
};

struct words {
	struct {
		uint32_t term[UNWANTED_TERMS_MAX], none[UNWANTED_TERMS_MAX];	/* itself; "stemless", "zuckerfrei" */
		unsigned n, nones;
	} word[UNWANTED_WORDS_MAX];
	unsigned n;		/* 0: the part cannot have them all */
};

struct part {
	struct signs before, behind, between;	/* of a negation; words that may stand between it and what it negates */
	struct words of[UNDERSTAND_EXCLUDE_MAX];
};

struct unwanted {
	const struct engine_view *v;
	struct part part[ENGINE_PARTS_MAX];
	unsigned n;
};

static bool
has(const uint32_t *terms, unsigned n, uint32_t term)
{
	for (unsigned i = 0; i < n; i++)
		if (terms[i] == term)
			return true;
	return false;
}

/* Add the stems of a folded word that this part has; how many there are now. */
static unsigned
add_terms(const struct seg *s, const char *word, size_t n, uint32_t *out, unsigned k, unsigned max)
{
	for (int lang = 0; lang < TEXT_LANGS && n <= TEXT_WORD_MAX; lang++) {
		char stem[TEXT_WORD_MAX];
		uint32_t id = seg_term_find(s, stem, text_stem(lang, word, n, stem));

		if (id != SEG_NONE && k < max && !has(out, k, id))
			out[k++] = id;
	}
	return k;
}

static void
read_signs(const struct seg *s, const char *const *words, struct signs *out)
{
	for (out->n = 0; *words != NULL; words++)
		out->n = add_terms(s, *words, strlen(*words), out->term, out->n, UNWANTED_SIGNS_MAX);
}

/* Words that say without a blank that something is not there. */
static unsigned
add_nones(const struct seg *s, const char *word, size_t n, uint32_t *out)
{
	static const char *const tails[] = { "less", "free", "los", "frei" };
	unsigned k = 0;

	for (int lang = -1; lang < TEXT_LANGS; lang++) {
		char text[TEXT_WORD_MAX];
		size_t m = text_stem(lang, word, n, text);

		for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]) && m + strlen(tails[i]) <= sizeof(text); i++) {
			memcpy(text + m, tails[i], strlen(tails[i]));
			k = add_terms(s, text, m + strlen(tails[i]), out, k, UNWANTED_TERMS_MAX);
		}
	}
	return k;
}

static void
read_words(const struct seg *s, const char *words, struct words *out)
{
	out->n = 0;
	for (const char *p = words; *p != '\0' && out->n < UNWANTED_WORDS_MAX; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		unsigned i = out->n;
		struct correct_guess guess = { 0 };

		out->word[i].n = add_terms(s, p, len, out->word[i].term, 0, UNWANTED_TERMS_MAX);
		out->word[i].nones = add_nones(s, p, len, out->word[i].none);
		if (out->word[i].n == 0 && len >= CORRECT_LEAST && len <= TEXT_WORD_MAX) {	/* mistyped */
			correct_word(s, p, len, &guess);
			if (guess.s != NULL) {
				out->word[i].n = add_terms(s, guess.s, guess.n, out->word[i].term, 0, UNWANTED_TERMS_MAX);
				out->word[i].nones = add_nones(s, guess.s, guess.n, out->word[i].none);
			}
		}
		if (out->word[i].n == 0 && out->word[i].nones == 0) {
			out->n = 0;
			return;
		}
		out->n++;
		p += len;
	}
}

const struct unwanted *
unwanted_read(struct ctx *c, const struct engine_view *v, const char *const *exclude, unsigned n)
{
	static const char *const before[] = { "without", "no", "non", "not", "sans", "sin", "ohne", "kein", "keine", "keinen", "senza", NULL },
	    *const behind[] = { "free", "less", "frei", "los", "libre", NULL },
	    *const between[] = { "added", "artificial", "any", "extra", "libre", NULL };
	struct unwanted *e = arena_alloc(c->a, sizeof(*e));

	e->v = v;
	e->n = n;
	for (unsigned p = 0; n > 0 && p < v->n; p++) {
		const struct seg *s = v->part[p].seg;

		read_signs(s, before, &e->part[p].before);
		read_signs(s, behind, &e->part[p].behind);
		read_signs(s, between, &e->part[p].between);
		for (unsigned i = 0; i < n; i++)
			read_words(s, exclude[i], &e->part[p].of[i]);
	}
	return e;
}

/* ---- a name ---- */

static bool
is_of(const struct words *u, uint32_t term)
{
	for (unsigned w = 0; w < u->n; w++)
		if (has(u->word[w].term, u->word[w].n, term))
			return true;
	return false;
}

/* Does the name say that the word at i is not there? */
static bool
is_negated(const struct part *p, const struct words *u, const uint32_t *title, size_t n, size_t i)
{
	if (i + 1 < n && has(p->behind.term, p->behind.n, title[i + 1]))
		return true;
	for (size_t back = 1; back <= BACK_MAX && back <= i; back++) {
		uint32_t term = title[i - back];

		if (has(p->before.term, p->before.n, term))
			return true;
		if (!is_of(u, term) && !has(p->between.term, p->between.n, term))
			return false;
	}
	return false;
}

/* Behind: all words of u are in the name; ahead: one is negated there. */
static enum engine_place
place_of(const struct part *p, const struct words *u, const uint32_t *title, size_t n)
{
	unsigned found = 0;
	bool negated = false;

	for (unsigned w = 0; w < u->n; w++) {
		bool here = false;

		for (size_t i = 0; i < n; i++) {
			if (has(u->word[w].term, u->word[w].n, title[i])) {
				bool not = is_negated(p, u, title, n, i);

				negated = negated || not;
				here = here || !not;
			} else if (has(u->word[w].none, u->word[w].nones, title[i])) {
				negated = true;
			}
		}
		found += here;
	}
	return negated ? ENGINE_AHEAD : u->n > 0 && found == u->n ? ENGINE_BEHIND : ENGINE_IN_LINE;
}

enum engine_place
unwanted_place(const void *arg, unsigned part, uint32_t doc)
{
	const struct unwanted *e = arg;
	uint32_t title[SEG_TITLE_MAX];
	size_t n = seg_title(e->v->part[part].seg, doc, title);
	enum engine_place best = ENGINE_IN_LINE;

	for (unsigned i = 0; i < e->n; i++) {
		enum engine_place one = place_of(&e->part[part], &e->part[part].of[i], title, n);

		if (one == ENGINE_BEHIND)
			return one;
		best = one == ENGINE_AHEAD ? one : best;
	}
	return best;
}

/* Products with one of the terms anywhere. */
static void
mark(const struct seg *s, const uint32_t *term, unsigned n, uint64_t *set)
{
	uint32_t doc[SEG_BLOCK];

	for (unsigned k = 0; k < n; k++) {
		struct seg_list l = seg_list(s, term[k]);

		for (uint32_t block = 0; block * SEG_BLOCK < l.df; block++) {
			unsigned all = seg_block(&l, block, doc);

			for (unsigned i = 0; i < all; i++)
				if (doc[i] < s->docs)
					set[doc[i] / 64] |= (uint64_t)1 << doc[i] % 64;
		}
	}
}

const uint64_t *const *
unwanted_suspects(struct ctx *c, const struct unwanted *e)
{
	const uint64_t **out = arena_alloc(c->a, sizeof(*out) * ENGINE_PARTS_MAX);

	for (unsigned p = 0; p < e->v->n; p++) {
		const struct seg *s = e->v->part[p].seg;
		uint64_t *set = arena_zalloc(c->a, (size_t)s->docs / 64 + 1, sizeof(*set));

		for (unsigned i = 0; i < e->n; i++) {
			const struct words *u = &e->part[p].of[i];

			for (unsigned w = 0; w < u->n; w++) {
				mark(s, u->word[w].term, u->word[w].n, set);
				mark(s, u->word[w].none, u->word[w].nones, set);
			}
		}
		out[p] = set;
	}
	return out;
}

/* ---- products of a colour ---- */

/* Add them to masked; how many are new. */
static uint32_t
mask_colour(struct ctx *c, const struct seg *s, const char *name, uint64_t *masked)
{
	char folded[TEXT_WORD_MAX * 4];
	size_t n = text_fold(name, strlen(name), folded, sizeof(folded));
	uint32_t all = seg_values(s, SEC_COLOUR), added = 0;
	bool *is = arena_zalloc(c->a, (size_t)all + 1, sizeof(*is));

	for (uint32_t i = 0; i < all; i++)
		is[i] = understand_colour_is(s, i, folded, n, true);
	for (uint32_t doc = 0; doc < s->docs; doc++)
		if (s->colour[doc] < all && is[s->colour[doc]]) {
			added += !(masked[doc / 64] >> doc % 64 & 1);
			masked[doc / 64] |= (uint64_t)1 << doc % 64;
		}
	return added;
}

const struct engine_view *
unwanted_mask(struct ctx *c, const struct engine_view *v, const char *const *colour, unsigned n)
{
	struct engine_view *out;

	if (n == 0)
		return v;
	out = arena_alloc(c->a, sizeof(*out));
	*out = *v;
	for (unsigned p = 0; p < v->n; p++) {
		const struct seg *s = v->part[p].seg;
		size_t cells = (size_t)s->docs / 64 + 1;
		uint64_t *masked = arena_zalloc(c->a, cells, sizeof(*masked));

		if (v->part[p].masked != NULL)
			memcpy(masked, v->part[p].masked, cells * sizeof(*masked));
		out->part[p].masked = masked;
		for (unsigned i = 0; i < n; i++)
			out->part[p].masked_n += mask_colour(c, s, colour[i], masked);
	}
	return out;
}
