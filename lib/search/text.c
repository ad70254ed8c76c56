/* Words, stems and stop words; see text.h. */
#include "search/text.h"

#include <libstemmer.h>
#include <string.h>

#include "core/banned.h"
#include "core/utf8.h"
#include "search/text_internal.h"

#define CHAIN_PARTS_MAX 4	/* of a word with hyphens */

/* ---- words ---- */

struct scan {
	void (*fn)(void *arg, const struct text_word *w);
	void *arg;
	char word[TEXT_WORD_MAX];
	size_t n;		/* more than fits: too long */
	unsigned flags;
	char chain[TEXT_WORD_MAX];	/* the parts so far, joined */
	size_t chain_n;
	unsigned parts, chain_flags;
	uint32_t place, chain_place;
	unsigned script;	/* of the word */
};

static uint32_t
decode(const unsigned char *s, size_t step)
{
	switch (step) {
	case 1:
		return s[0];
	case 2:
		return (uint32_t)(s[0] & 0x1F) << 6 | (s[1] & 0x3F);
	case 3:
		return (uint32_t)(s[0] & 0x0F) << 12 | (uint32_t)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
	default:
		return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3F) << 12 | (uint32_t)(s[2] & 0x3F) << 6 | (s[3] & 0x3F);
	}
}

static void
add(struct scan *s, const char *p, size_t n)
{
	if (s->n + n <= sizeof(s->word))
		memcpy(s->word + s->n, p, n);
	s->n += n;
}

/* The chain of parts ends: tell it joined when there were several. */
static void
end_chain(struct scan *s)
{
	struct text_word w = { s->chain, s->chain_n, TEXT_JOINED | s->chain_flags, s->chain_place };

	if (s->parts > 1 && s->parts <= CHAIN_PARTS_MAX && s->chain_n <= sizeof(s->chain))
		s->fn(s->arg, &w);
	s->parts = 0;
	s->chain_n = 0;
	s->chain_flags = 0;
}

static void
end_word(struct scan *s)
{
	struct text_word w = { s->word, s->n, s->flags, s->place };

	if (s->n == 0)
		return;
	if (s->n <= sizeof(s->word)) {
		if (s->parts++ == 0)
			s->chain_place = s->place;
		if (s->chain_n + s->n <= sizeof(s->chain))
			memcpy(s->chain + s->chain_n, s->word, s->n);
		s->chain_n += s->n;
		s->chain_flags |= s->flags;
		s->fn(s->arg, &w);
		s->place++;
	}
	s->n = 0;
	s->flags = 0;
}

static bool
is_elided(const char *w, size_t n)
{
	static const char *const known[] = { "qu", "jusqu", "lorsqu", "puisqu", "quelqu", "quoiqu" };

	if (n == 1)
		return w[0] != '\0' && strchr("ldjmtsnc", w[0]) != NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == n && memcmp(known[i], w, n) == 0)
			return true;
	return false;
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_number(const struct scan *s)
{
	if (s->n == 0 || s->n > sizeof(s->word))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!is_digit((unsigned char)s->word[i]) && s->word[i] != '.')
			return false;
	return true;
}

/* A point or comma between digits belongs to the number; rest begins with it. */
static bool
inside_number(struct scan *s, const unsigned char *rest, size_t left)
{
	size_t digits = 0;

	if ((rest[0] != '.' && rest[0] != ',') || !is_number(s))
		return false;
	while (1 + digits < left && is_digit(rest[1 + digits]))
		digits++;
	if (digits == 0)
		return false;
	if (!(rest[0] == ',' && digits == 3))
		add(s, ".", 1);
	return true;
}

/* An apostrophe: an article before it or an English "s" behind it fall away, else it joins. */
static size_t
apostrophe(struct scan *s, const unsigned char *p, size_t i, size_t step, size_t n)
{
	char folded[4];
	size_t next = i + step;

	if (s->parts == 0 && s->n <= sizeof(s->word) && s->n > 0 && is_elided(s->word, s->n)) {
		s->n = 0;
		s->flags = 0;
		return step;
	}
	if (next < n && (p[next] == 's' || p[next] == 'S') && (next + 1 >= n || p[next + 1] < 0x80) &&
	    (next + 1 >= n || text_fold_char(p[next + 1], folded) == 0))
		step += 1;
	end_word(s);
	if (step > 1 && p[i + step - 1] != 0x99)
		end_chain(s);
	return step;
}

static bool
is_apostrophe(uint32_t cp)
{
	return cp == '\'' || cp == 0x2019 || cp == 0x02BC;
}

static bool
is_hyphen(uint32_t cp)
{
	return cp == '-' || cp == 0x2010 || cp == 0x2011;
}

/* Scripts that are written without blanks: a word ends where another one begins. */
static unsigned
script(uint32_t cp)
{
	if (cp >= 0x3040 && cp < 0x30A0)
		return 1;	/* Hiragana */
	if ((cp >= 0x30A0 && cp < 0x3100) || (cp >= 0x31F0 && cp < 0x3200))
		return 2;	/* Katakana */
	return (cp >= 0x3400 && cp < 0xA000) || (cp >= 0xF900 && cp < 0xFB00) || cp >= 0x20000 ? 3 : 0;	/* Han */
}

void
text_words(const char *text, size_t n, void (*fn)(void *arg, const struct text_word *w), void *arg)
{
	const unsigned char *p = (const unsigned char *)text;
	struct scan s = { .fn = fn, .arg = arg };
	char folded[4];

	for (size_t i = 0, step; i < n; i += step) {
		uint32_t cp;
		size_t m;

		if ((step = utf8_step(p + i, n - i)) == 0) {
			step = 1;
			cp = ' ';
		} else {
			cp = decode(p + i, step);
		}
		if (cp == 0xAD || (cp >= 0x300 && cp < 0x370)) {
			s.flags |= cp != 0xAD ? TEXT_ACCENTED : 0;
		} else if ((m = text_fold_char(cp, folded)) > 0) {
			if (s.n > 0 && script(cp) != s.script) {
				end_word(&s);
				end_chain(&s);
			}
			s.script = script(cp);
			if (cp >= 0xC0 && cp < 0x1F00 && (unsigned char)folded[0] < 0x80)
				s.flags |= TEXT_ACCENTED;
			add(&s, folded, m);
		} else if (s.n > 0 && is_apostrophe(cp)) {
			step = apostrophe(&s, p, i, step, n);
		} else if (s.n > 0 && is_hyphen(cp)) {
			end_word(&s);
		} else if (!inside_number(&s, p + i, n - i)) {
			end_word(&s);
			end_chain(&s);
		}
	}
	end_word(&s);
	end_chain(&s);
}

struct fold_out {
	char *p;
	size_t n, max;
};

static void
fold_word(void *arg, const struct text_word *w)
{
	struct fold_out *o = arg;
	size_t blank = o->n > 0 ? 1 : 0;

	if (w->flags & TEXT_JOINED || o->n + blank + w->n > o->max)
		return;
	if (blank)
		o->p[o->n++] = ' ';
	memcpy(o->p + o->n, w->s, w->n);
	o->n += w->n;
}

size_t
text_fold(const char *s, size_t n, char *out, size_t outsz)
{
	struct fold_out o = { out, 0, outsz - 1 };

	text_words(s, n, fold_word, &o);
	out[o.n] = '\0';
	return o.n;
}

/* ---- languages ---- */

const char *const text_langs[TEXT_LANGS] = { "fr", "en", "es", "de" };
static const char *const snowball[TEXT_LANGS] = { "french", "english", "spanish", "german" };

int
text_lang(const char *code, size_t n)
{
	for (int i = 0; i < TEXT_LANGS; i++)
		if (n >= 2 && memcmp(text_langs[i], code, 2) == 0)
			return i;
	return -1;
}

size_t
text_stem(int lang, const char *word, size_t n, char out[TEXT_WORD_MAX])
{
	static struct sb_stemmer *stemmers[TEXT_LANGS];	/* one each for the life of the process */
	const sb_symbol *stem;
	size_t len;

	if (n > TEXT_WORD_MAX)
		n = TEXT_WORD_MAX;
	memcpy(out, word, n);
	if (lang < 0 || lang >= TEXT_LANGS || n < 3)
		return n;
	for (size_t i = 0; i < n; i++)
		if (is_digit((unsigned char)word[i]))
			return n;
	if (stemmers[lang] == NULL && (stemmers[lang] = sb_stemmer_new(snowball[lang], "UTF_8")) == NULL)
		return n;
	if ((stem = sb_stemmer_stem(stemmers[lang], (const sb_symbol *)word, (int)n)) == NULL)
		return n;
	len = (size_t)sb_stemmer_length(stemmers[lang]);
	if (len == 0 || len > TEXT_WORD_MAX)
		return n;
	memcpy(out, stem, len);
	return len;
}

/* Folded, between blanks.  Words that are something else without their accent stand in the second list. */
static const char *const stops[TEXT_LANGS] = {
	" a au aux avec ce ces cet cette chez comme dans de des du elle elles en est et eux il ils je la le les leur leurs lui ma mais me mes moi "
	"mon ne nos notre nous ou par pas pour qu que qui quoi sa sans se ses si son sont sur ta te tes toi ton tu un une vos votre vous y ",
	" a about an and any are as at be been but by can could did do does for from had has have he her his how i if in into is it its me my of on "
	"or our s she so some than that the their them then there these they this those to was we were what when where which while who will with "
	"would you your ",
	" a al ante como con cual de del desde donde e el ella ellas ellos en entre era es esa ese eso esta este esto ha hasta la las le les lo los "
	"me mi mis muy ni nos o os para pero por que se ser si sin sobre son su sus te tu tus un una unas uno unos y ya yo ",
	" aber als am an auch auf aus bei bin bis das dem den der des die doch du ein eine einem einen einer eines er es fur gegen hat ich ihr im in "
	"ist ja kann man mein mit nach nicht nur ob oder ohne seit sich sie sind so uber um und uns unter vom von vor was weil wenn wer wie wir wird "
	"zu zum zur ",
};
static const char *const accented_stops[TEXT_LANGS] = { " a ou meme etre tres apres ", "  ", " el mas si tu tambien ", " fur uber " };

static bool
listed(const char *list, const char *word, size_t n)
{
	char key[16];

	if (n + 2 >= sizeof(key))
		return false;
	key[0] = key[n + 1] = ' ';
	key[n + 2] = '\0';
	memcpy(key + 1, word, n);
	return strstr(list, key) != NULL;
}

bool
text_is_negation(const char *word, size_t n)
{
	return listed(" sans sin ohne ", word, n);
}

bool
text_is_stop(int lang, const char *word, size_t n, unsigned flags)
{
	if (lang < 0 || lang >= TEXT_LANGS || flags & TEXT_JOINED)
		return false;
	return listed(flags & TEXT_ACCENTED ? accented_stops[lang] : stops[lang], word, n);
}
