/* A query as tokens: words, numbers and signs, each with its bytes. */
#include <string.h>

#include "core/banned.h"
#include "core/utf8.h"
#include "search/text.h"
#include "search/understand_internal.h"

#define NUMBER_MAX 24		/* bytes; longer ones are words */

static bool
is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

/* Bytes of the letter, digit or combining mark at p; 0 for others. */
static size_t
letter(const char *p, size_t n)
{
	size_t step = utf8_step((const unsigned char *)p, n);
	char folded[16];

	if (step == 0)
		return 0;
	if (step == 2 && (((unsigned char)p[0] == 0xCC) || ((unsigned char)p[0] == 0xCD && (unsigned char)p[1] < 0xB0)))
		return step;
	return text_fold(p, step, folded, sizeof(folded)) > 0 ? step : 0;
}

static size_t
letters(const char *p, size_t n)
{
	size_t i = 0, step;

	while (i < n && (step = letter(p + i, n - i)) > 0)
		i += step;
	return i;
}

size_t
u_fold(const char *s, size_t n, char *out, size_t outsz)
{
	char word[PHRASE_MAX];
	size_t m = 0, step;

	for (size_t i = 0; i < n; i += step) {
		size_t len, blank = m > 0 ? 1 : 0;

		if ((step = letters(s + i, n - i)) == 0) {
			step = 1;
			continue;
		}
		len = text_fold(s + i, step, word, sizeof(word));
		if (len == 0 || m + blank + len >= outsz)
			continue;
		if (blank)
			out[m++] = ' ';
		memcpy(out + m, word, len);
		m += len;
	}
	out[m] = '\0';
	return m;
}

/* Signs that mean something; the form in which the tables have them. */
static const struct {
	const char *typed, *s;
} signs[] = {
	{ "€", "€" }, { "$", "$" }, { "£", "£" }, { "¥", "¥" }, { "-", "-" }, { "–", "-" }, { "—", "-" }, { "+", "+" },
	{ "~", "circa" }, { "<", "<" }, { ">", ">" }, { "≤", "<" }, { "≥", ">" }, { "×", "x" },
};

static const char *
sign(const char *p, size_t n, size_t *len)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		*len = strlen(signs[i].typed);
		if (*len <= n && memcmp(signs[i].typed, p, *len) == 0)
			return signs[i].s;
	}
	return NULL;
}

/*
 * The number at p as text with a decimal point; its bytes, 0 when it is none.  "1,200" and "1.200" have separators of thousands, "1,5" and
 * "49.90" decimals: a lone separator before exactly three digits is one of thousands.
 */
static size_t
number(struct arena *a, const char *p, size_t n, const char **out)
{
	char text[NUMBER_MAX + 1];
	size_t i = 0, m = 0, last = 0, digits = 0;
	char sep = 0;

	for (; i < n && i < NUMBER_MAX; i++) {
		if (is_digit(p[i])) {
			text[m++] = p[i];
			digits++;
		} else if ((p[i] == '.' || p[i] == ',' || p[i] == '\'') && i + 1 < n && is_digit(p[i + 1])) {
			sep = p[i];
			last = m;
			digits = 0;
		} else {
			break;
		}
	}
	if (m == 0 || (i < n && is_digit(p[i])))
		return 0;
	if (sep != 0 && digits != 3) {
		memmove(text + last + 1, text + last, m - last);
		text[last] = '.';
		m++;
	}
	text[m] = '\0';
	*out = arena_strndup(a, text, m);
	return i;
}

/* Letters that may stick to a number: a currency, a unit, or the x of "180x200". */
static bool
sticks(const char *p, size_t n)
{
	char folded[PHRASE_MAX];
	size_t m = text_fold(p, n, folded, sizeof(folded));

	if (m == 0 || (m >= 2 && folded[0] == 'x' && is_digit(folded[1])))
		return true;
	return u_find(folded, m, U_CURRENCY, ~0u, -1) != NULL || u_find(folded, m, U_UNIT, ~0u, -1) != NULL;
}

static void
put(struct u_parse *p, enum u_token_kind kind, size_t from, size_t to, const char *s)
{
	struct u_token *t = &p->t[p->tokens];

	*t = (struct u_token){ .kind = kind, .from = from, .to = to, .s = s, .n = strlen(s) };
	t->glued = p->tokens > 0 && t[-1].to == from;
	p->tokens++;
}

/* The token at i; its bytes, 0 for none. */
static size_t
token(struct u_parse *p, size_t i)
{
	const char *s = p->query + i, *text;
	size_t rest = p->n - i, n = letters(s, rest), m;
	char folded[PHRASE_MAX];

	if (n > 0 && is_digit(s[0]) && (m = number(p->a, s, rest, &text)) > 0) {
		size_t behind = letters(s + m, rest - m);

		if (sticks(s + m, behind)) {
			put(p, T_NUMBER, i, i + m, text);
			return m;
		}
		n = m > n ? m + behind : n;
	}
	if (n > 1 && s[0] == 'x' && is_digit(s[1]) && p->tokens > 0 && p->t[p->tokens - 1].kind == T_NUMBER)
		n = 1;
	if (n > 0) {
		text_fold(s, n, folded, sizeof(folded));
		if (folded[0] != '\0')
			put(p, T_WORD, i, i + n, arena_strdup(p->a, folded));
		return n;
	}
	if ((text = sign(s, rest, &m)) != NULL) {
		put(p, T_SIGN, i, i + m, text);
		return m;
	}
	return 0;
}

/* Words of the tables that are mistyped ("withuot"): those that the shop's texts have stay what they are. */
static void
mend(struct u_parse *p, struct u_token *t)
{
	size_t n;
	const char *s;

	if (t->kind != T_WORD || p->shop->word == NULL || p->shop->word(p->shop->arg, t->s, t->n) || (s = u_near(t->s, t->n, p->shop->langs, &n)) == NULL)
		return;
	t->s = arena_strndup(p->a, s, n);
	t->n = n;
}

void
u_read(struct u_parse *p)
{
	for (size_t i = 0; i < p->n && p->tokens < UNDERSTAND_TOKENS_MAX;) {
		size_t n = token(p, i), step = utf8_step((const unsigned char *)p->query + i, p->n - i);

		i += n > 0 ? n : step > 0 ? step : 1;
	}
	for (unsigned i = 0; i < p->tokens; i++)
		mend(p, &p->t[i]);
}

size_t
u_phrase(const struct u_parse *p, unsigned i, unsigned words, char out[PHRASE_MAX], unsigned *next)
{
	size_t n = 0;

	for (; words > 0; i++) {
		const struct u_token *t = &p->t[i];
		size_t blank = n > 0 ? 1 : 0;

		if (i >= p->tokens || t->kind == T_NUMBER || t->used || n + blank + t->n >= PHRASE_MAX)
			return 0;
		/* The hyphen of "best-selling" is a blank. */
		if (n > 0 && t->kind == T_SIGN && t->s[0] == '-' && t->glued && i + 1 < p->tokens && p->t[i + 1].glued)
			continue;
		if (n > 0 && (t->kind == T_SIGN || p->t[i - 1].kind == T_SIGN) && p->t[i - 1].s[0] != '-')
			return 0;
		if (blank)
			out[n++] = ' ';
		memcpy(out + n, t->s, t->n);
		n += t->n;
		words--;
	}
	*next = i;
	return n;
}

const struct u_word *
u_at(const struct u_parse *p, unsigned i, enum understand_kind kind, unsigned *next)
{
	char phrase[PHRASE_MAX];

	for (unsigned words = PHRASE_WORDS; words > 0; words--) {
		size_t n = u_phrase(p, i, words, phrase, next);
		const struct u_word *w = n > 0 ? u_find(phrase, n, kind, p->shop->langs, p->lang) : NULL;

		if (w != NULL)
			return w;
	}
	return NULL;
}
