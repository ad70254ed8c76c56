/*
 * Words of texts, as the search index and the query parser see them.
 *
 * Folding: lower case, accents removed (precomposed letters of Latin-1, Latin Extended-A and -B and Latin Extended Additional, and combining
 * marks U+0300 to U+036F), ligatures written out (oe, ae, ss), full-width forms narrowed.  Greek and Cyrillic become lower case; other
 * scripts stay as they are; Han, Hiragana and Katakana are words apart where they meet.  Bytes that are not UTF-8 separate words.
 *
 * A word is a run of letters and digits.  Hyphens and apostrophes inside join: "t-shirt" gives "t", "shirt" and then "tshirt" (TEXT_JOINED).
 * Elided articles fall away ("l'applique" gives "applique"), and the English "'s".  Numbers keep their decimals with a point ("1,5" is
 * "1.5") and lose separators of thousands ("1,000" is "1000").  Longer words than TEXT_WORD_MAX bytes are left out.
 *
 * Stems are made from folded words by Snowball (libstemmer); a word that contains a digit is its own stem.
 */
#ifndef SOUK_SEARCH_TEXT_H
#define SOUK_SEARCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_WORD_MAX 48	/* bytes of a folded word */

#define TEXT_JOINED 1u		/* made of the words before it; takes no place of its own */
#define TEXT_ACCENTED 2u	/* had an accent or a ligature */

struct text_word {
	const char *s;		/* not terminated; valid during the call */
	size_t n;
	unsigned flags;
	uint32_t place;		/* 0 for the first word; a joined word has the place of its first part */
};

/* Call fn for every word of s (n bytes). */
void text_words(const char *s, size_t n, void (*fn)(void *arg, const struct text_word *w), void *arg);

/* Fold the text as a whole, with single blanks between words: the form in which names of brands, colours and categories are compared.
   Writes at most outsz - 1 bytes and a NUL; returns their number. */
size_t text_fold(const char *s, size_t n, char *out, size_t outsz);

/* Languages by number, so that a set fits into a bit mask. */
#define TEXT_LANGS 4
extern const char *const text_langs[TEXT_LANGS];	/* "fr", "en", "es", "de" */

/* The number of a language code, -1 for one without rules (its words are their own stems). */
int text_lang(const char *code, size_t n);

/* The stem of a folded word; lang -1: the word itself.  out has TEXT_WORD_MAX bytes and is not terminated; returns its length. */
size_t text_stem(int lang, const char *word, size_t n, char out[TEXT_WORD_MAX]);

/* Stop words that products are indexed by nevertheless: names say with them what a product does not have. */
bool text_is_negation(const char *word, size_t n);

/* Does this folded word mean nothing by itself in that language ("the", "de", "mit")? */
bool text_is_stop(int lang, const char *word, size_t n, unsigned flags);

#endif
