/* What the parts of understand() share: understand_words.c (tables), understand_read.c (tokens), understand_price.c, understand.c. */
#ifndef SOUK_SEARCH_UNDERSTAND_INTERNAL_H
#define SOUK_SEARCH_UNDERSTAND_INTERNAL_H

#include <stdint.h>

#include "search/understand.h"

#define PHRASE_WORDS 5		/* of a phrase in the tables at most */
#define PHRASE_MAX 160		/* bytes of a folded phrase */

struct u_word {
	const char *s;		/* folded phrase; symbols stand for themselves */
	const char *value;
	uint16_t n;
	uint8_t lang, kind;	/* lang: index of text_langs */
};

/* The entry of that kind in one of langs (bit mask); that of language prefer (-1: none) first.  NULL. */
const struct u_word *u_find(const char *s, size_t n, enum understand_kind kind, unsigned langs, int prefer);
/* All entries of a kind, one after the other: *at starts with 0.  NULL at the end. */
const struct u_word *u_next(enum understand_kind kind, size_t *at);
/* The one word of the phrases that is meant by a mistyped word (n bytes, one edit): of words that count only beside an amount, and
   longer ones of other wishes.  NULL: none. */
const char *u_near(const char *s, size_t n, unsigned langs, size_t *len);
/* Label of a kind in a language (-1: English); "%s" stands for the value. */
const char *u_label(enum understand_kind kind, int lang);

enum u_token_kind { T_WORD, T_NUMBER, T_SIGN };

struct u_token {
	enum u_token_kind kind;
	size_t from, to;	/* bytes of the query */
	const char *s;		/* folded word, text of the number with a decimal point, or the sign */
	size_t n;
	bool glued;		/* nothing stands between it and the one before */
	bool used;		/* not searched any more */
	bool adjective;		/* size or style: stays a word, but is no part of a category's name */
	bool fixed;		/* part of a brand or a fixed expression */
};

struct u_parse {
	struct arena *a;
	const char *query;
	size_t n;
	const struct understand_shop *shop;
	int lang;		/* of the locale, -1 */
	struct u_token t[UNDERSTAND_TOKENS_MAX];
	unsigned tokens;
	struct understood *out;
};

/* Fold word by word as tokens are: an apostrophe is a blank.  Writes a NUL; returns the bytes before it. */
size_t u_fold(const char *s, size_t n, char *out, size_t outsz);

void u_read(struct u_parse *p);
/* The folded phrase of up to words word tokens from i; 0 when it does not fit or a number is in between.  *next is the token behind. */
size_t u_phrase(const struct u_parse *p, unsigned i, unsigned words, char out[PHRASE_MAX], unsigned *next);
/* The longest phrase of a kind that starts at token i. */
const struct u_word *u_at(const struct u_parse *p, unsigned i, enum understand_kind kind, unsigned *next);
/* Note tokens from..to-1 as an item.  use: they are no longer searched. */
struct understand_item *u_item(struct u_parse *p, enum understand_kind kind, unsigned from, unsigned to, const char *value, bool use);
bool u_any_fixed(const struct u_parse *p, unsigned from, unsigned to);
/* Is it one word that means nothing in another of the shop's languages ("or", "sin")? */
bool u_is_stop_elsewhere(const struct u_parse *p, unsigned from, unsigned to, int lang);
/* Do the tokens and the neighbour before or behind them name products in other colours? */
bool u_in_name(const struct u_parse *p, unsigned from, unsigned to, const char *colour);
/* The shop's name of a colour, which stands at tokens i to next - 1: by the word itself, else by any other word for it.  NULL. */
const char *u_shop_colour(const struct u_parse *p, unsigned i, const struct u_word *w, unsigned next);
/* A colour that starts at token i; the token behind it, 0 for none. */
unsigned u_read_colour(struct u_parse *p, unsigned i);
/* Two colours are a wish that one filter cannot express: they all stay words. */
void u_give_back_colours(struct u_parse *p);
/* Does the word mean nothing by itself in one of the shop's languages? */
bool u_is_stop(const struct u_parse *p, const struct u_token *t);
/* A negation with what it negates that starts at token i; the token behind it, 0 for none. */
unsigned u_read_not(struct u_parse *p, unsigned i);
/* A price that starts at token i; the token behind it, 0 for none. */
unsigned u_price(struct u_parse *p, unsigned i);

/* What stands between words of a query. */
static inline bool
u_is_gap(char c)
{
	return c == ' ' || c == ',' || c == ';' || c == '\t';
}

#endif
