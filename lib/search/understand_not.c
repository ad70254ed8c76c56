/* What a query does not want; see understand.h. */
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "search/text.h"
#include "search/understand_internal.h"

#define NOT_WORDS 3		/* behind a negation */

static bool
is_minus(const struct u_parse *p, unsigned i)
{
	return p->t[i].kind == T_SIGN && p->t[i].s[0] == '-' && !p->t[i].glued && i + 1 < p->tokens && p->t[i + 1].glued &&
	    p->t[i + 1].kind == T_WORD;
}

/* Words that are not wanted, from token first on; the token behind them. */
static unsigned
unwanted_words(const struct u_parse *p, unsigned first, bool one, struct buf *words)
{
	unsigned i = first, n = 0, next;

	while (i < p->tokens && p->t[i].kind == T_WORD && u_is_stop(p, &p->t[i]) && !one)
		i++;
	for (; i < p->tokens && n < (one ? 1 : NOT_WORDS); i++, n++) {
		if (n > 0 && p->t[i].kind == T_SIGN && p->t[i].s[0] == '-' && p->t[i].glued && i + 1 < p->tokens && p->t[i + 1].glued)
			i++;	/* "abat-jour" */
		if (p->t[i].kind != T_WORD || p->t[i].fixed || u_is_stop(p, &p->t[i]) || u_at(p, i, U_BUDGET, &next) != NULL ||
		    u_at(p, i, U_STOCK, &next) != NULL || u_at(p, i, U_NOT, &next) != NULL)
			break;
		if (n > 0)
			buf_putc(words, ' ');
		buf_put(words, p->t[i].s, p->t[i].n);
	}
	return n > 0 ? i : 0;
}

static bool
word_before(const struct u_parse *p, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (p->t[k].kind == T_WORD && !u_is_stop(p, &p->t[k]))
			return true;
	return false;
}

static bool
same_word(const struct u_parse *p, const struct u_token *a, const struct u_token *b)
{
	char x[TEXT_WORD_MAX], y[TEXT_WORD_MAX];
	size_t n;

	if (a->kind != T_WORD || b->kind != T_WORD || a->n > sizeof(x) || b->n > sizeof(y))
		return false;
	for (int lang = 0; lang < TEXT_LANGS; lang++)
		if (p->shop->langs & 1u << lang && (n = text_stem(lang, a->s, a->n, x)) == text_stem(lang, b->s, b->n, y) && memcmp(x, y, n) == 0)
			return true;
	return false;
}

/* What the query wants besides ("tool case without tools"): such a wish is left to the words. */
static bool
wanted_too(const struct u_parse *p, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		for (unsigned k = 0; k < p->tokens; k++)
			if ((k < from || k >= to) && same_word(p, &p->t[i], &p->t[k]))
				return true;
	return false;
}

/* Words of names: the one before the negation (NULL: none), the negation's last, and the first that it negates. */
struct negated {
	const struct u_token *before, *not, *word;
};

static struct negated
words_around(const struct u_parse *p, unsigned i, unsigned first, unsigned end)
{
	struct negated out = { NULL, &p->t[first - 1], NULL };

	for (unsigned k = i; k-- > 0 && out.before == NULL;)
		out.before = p->t[k].kind == T_WORD && !u_is_stop(p, &p->t[k]) ? &p->t[k] : NULL;
	for (unsigned k = first; k < end && out.word == NULL; k++)
		out.word = p->t[k].kind == T_WORD && !u_is_stop(p, &p->t[k]) ? &p->t[k] : NULL;
	return out;
}

/* Do names of products say the same ("Knife Set without Block")? */
static bool
names_say_so(const struct u_parse *p, const struct negated *n)
{
	const char *phrase = arena_printf(p->a, "%s %s", n->not->s, n->word != NULL ? n->word->s : "");

	return n->word != NULL && p->shop->in_names != NULL && p->shop->in_names(p->shop->arg, phrase, strlen(phrase), NULL);
}

/* And does no name have the words in another way ("Listen Without Prejudice")?  Then they are a name. */
static bool
is_a_name(const struct u_parse *p, const struct negated *n)
{
	return n->before != NULL && p->shop->only_negated != NULL && p->shop->only_negated(p->shop->arg, n->before->s, n->not->s, n->word->s);
}

/* In a sentence ("is not enough") a negation is no wish. */
static bool
in_sentence(const struct u_parse *p, unsigned i)
{
	return i > 0 && p->t[i - 1].kind == T_WORD && u_is_stop(p, &p->t[i - 1]);
}

/* A colour that is not wanted, at token i behind a negation that starts at token from; the token behind it, 0 for none. */
static unsigned
unwanted_colour(struct u_parse *p, unsigned from, unsigned i)
{
	unsigned next;
	const struct u_word *w = u_at(p, i, U_COLOUR, &next);
	const char *name = w != NULL ? u_shop_colour(p, i, w, next) : NULL;

	if (name == NULL || u_any_fixed(p, i, next) || p->out->exclude_colours == UNDERSTAND_EXCLUDE_MAX || u_item(p, U_NOT, from, next, name, true) == NULL)
		return 0;
	p->out->exclude_colour[p->out->exclude_colours++] = name;
	return next;
}

/* "not red", "neither red nor blue", "that is not black", "non-black". */
static unsigned
unwanted_colours(struct u_parse *p, unsigned from, unsigned first)
{
	unsigned next, end, more;

	if (first < p->tokens && p->t[first].kind == T_SIGN && p->t[first].s[0] == '-' && p->t[first].glued)
		first++;
	while (first < p->tokens && p->t[first].kind == T_WORD && u_is_stop(p, &p->t[first]) && u_at(p, first, U_COLOUR, &next) == NULL)
		first++;
	for (end = 0; (next = unwanted_colour(p, from, first)) > 0; first = more) {
		end = from = next;
		if (u_at(p, next, U_OR, &more) == NULL)
			break;
	}
	return end;
}

unsigned
u_read_not(struct u_parse *p, unsigned i)
{
	unsigned first = i + 1, end;
	bool minus = is_minus(p, i);
	const struct u_word *w = minus ? NULL : u_at(p, i, U_NOT, &first);
	struct negated around;
	struct buf words;
	bool named;

	if ((w == NULL && !minus) || u_any_fixed(p, i, first))
		return 0;
	if ((end = unwanted_colours(p, i, first)) > 0)
		return end;
	if (!word_before(p, i) || in_sentence(p, i) || p->out->excludes == UNDERSTAND_EXCLUDE_MAX)
		return 0;
	buf_init(&words, p->a, PHRASE_MAX, 1024);
	if ((end = unwanted_words(p, first, minus, &words)) == 0 || wanted_too(p, first, end))
		return 0;
	around = words_around(p, i, first, end);
	if (w != NULL && w->value[0] == '\0' && u_in_name(p, i, first, NULL))	/* "Watch the Game Not Your Phone" */
		return 0;
	named = names_say_so(p, &around);
	if ((named && is_a_name(p, &around)) || u_item(p, U_NOT, i, end, buf_str(&words), !named) == NULL)
		return 0;
	for (unsigned k = i; k < first; k++)
		p->t[k].used = true;
	p->out->exclude[p->out->excludes++] = buf_str(&words);
	return end;
}
