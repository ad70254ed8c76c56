/* Colours of a query as the shop names them; see understand.h. */
#include <string.h>

#include "core/banned.h"
#include "search/text.h"
#include "search/understand_internal.h"

#define SHOP_COLOUR_WORDS 3

/* "rouge" stands for all colours of the shop with that word. */
static const char *
named_colour(const struct u_parse *p, const char *phrase, size_t n)
{
	const char *name = p->shop->colour(p->shop->arg, phrase, n);

	return name != NULL && name[0] == '\0' ? arena_strndup(p->a, phrase, n) : name;
}

const char *
u_shop_colour(const struct u_parse *p, unsigned i, const struct u_word *w, unsigned next)
{
	const char *name;
	size_t at = 0, n;
	char phrase[PHRASE_MAX];

	if (p->shop->colour == NULL)
		return NULL;
	for (unsigned words = next - i; words > 0; words--)
		if ((n = u_phrase(p, i, words, phrase, &next)) > 0 && (name = named_colour(p, phrase, n)) != NULL)
			return name;
	for (const struct u_word *e; (e = u_next(U_COLOUR, &at)) != NULL;)
		if (strcmp(e->value, w->value) == 0 && (name = named_colour(p, e->s, e->n)) != NULL)
			return name;
	return NULL;
}

/* The shop's names of colours that look like one. */
static void
note_near(struct u_parse *p, const char *value)
{
	static const char *const like[][5] = {
		{ "red", "bordeaux", "rust", "terracotta" }, { "blue", "navy", "light blue", "turquoise" }, { "green", "khaki", "turquoise" },
		{ "yellow", "ochre", "gold" }, { "white", "ivory", "cream" }, { "grey", "anthracite", "silver" }, { "black", "anthracite" },
		{ "brown", "rust", "natural" }, { "beige", "cream", "natural", "ivory" }, { "orange", "terracotta", "rust", "ochre" },
		{ "pink", "purple" }, { "purple", "pink", "bordeaux" }, { "gold", "ochre", "copper" }, { "silver", "grey" },
		{ "turquoise", "light blue", "green", "blue" }, { "ivory", "cream", "white" }, { "cream", "ivory", "beige", "white" },
		{ "navy", "blue" }, { "light blue", "blue", "turquoise" }, { "bordeaux", "red", "purple" }, { "anthracite", "grey", "black" },
		{ "copper", "rust", "gold" }, { "natural", "beige", "brown" }, { "ochre", "yellow", "gold" }, { "terracotta", "rust", "orange", "red" },
		{ "khaki", "green" }, { "rust", "terracotta", "orange", "red" },
	};
	const char *const *row = NULL;

	for (size_t i = 0; i < sizeof(like) / sizeof(like[0]); i++)
		if (strcmp(like[i][0], value) == 0)
			row = like[i];
	for (size_t k = 1; row != NULL && k < 5 && row[k] != NULL; k++) {
		size_t at = 0;
		const char *name = NULL;

		for (const struct u_word *e; name == NULL && (e = u_next(U_COLOUR, &at)) != NULL;)
			if (strcmp(e->value, row[k]) == 0)
				name = named_colour(p, e->s, e->n);
		if (name != NULL && p->out->nears < UNDERSTAND_NEAR_MAX)
			p->out->near[p->out->nears++] = name;
	}
}

/* A colour of several words that the shop has ("rouge brique"). */
static unsigned
read_shop_colour(struct u_parse *p, unsigned i)
{
	char phrase[PHRASE_MAX];

	for (unsigned words = SHOP_COLOUR_WORDS; words > 1 && p->shop->colour != NULL; words--) {
		unsigned next;
		size_t n = u_phrase(p, i, words, phrase, &next);
		const char *name = n > 0 ? p->shop->colour(p->shop->arg, phrase, n) : NULL;

		if (name == NULL || name[0] == '\0' || u_any_fixed(p, i, next) || u_item(p, U_COLOUR, i, next, name, true) == NULL)
			continue;
		p->out->colour = name;
		return next;
	}
	return 0;
}

/* Is it "blue" of "blue's clues"? */
static bool
is_possessive(const struct u_parse *p, unsigned next)
{
	const struct u_token *t = &p->t[next];
	const char *gap;

	if (next == 0 || next >= p->tokens || t->kind != T_WORD || t->n != 1 || t->s[0] != 's')
		return false;
	gap = p->query + p->t[next - 1].to;
	return t->from > p->t[next - 1].to && memchr(gap, ' ', t->from - p->t[next - 1].to) == NULL;
}

/* A negation before it that could not be read: the colour is no wish. */
static bool
is_negated(const struct u_parse *p, unsigned i)
{
	unsigned next;

	return i > 0 && u_at(p, i - 1, U_NOT, &next) != NULL && next == i;
}

unsigned
u_read_colour(struct u_parse *p, unsigned i)
{
	unsigned next = is_negated(p, i) ? 0 : read_shop_colour(p, i);
	const struct u_word *w;
	const char *name;

	if (next > 0)
		return next;
	w = u_at(p, i, U_COLOUR, &next);
	if (w == NULL || is_negated(p, i) || is_possessive(p, next) || u_any_fixed(p, i, next) || u_is_stop_elsewhere(p, i, next, w->lang) ||
	    (name = u_shop_colour(p, i, w, next)) == NULL || u_in_name(p, i, next, name))
		return 0;
	if (u_item(p, U_COLOUR, i, next, name, true) == NULL)
		return 0;
	p->out->colour = name;
	note_near(p, w->value);
	return next;
}

void
u_give_back_colours(struct u_parse *p)
{
	struct understood *o = p->out;
	unsigned kept = 0, colours = 0;

	for (unsigned i = 0; i < o->n; i++)
		colours += o->item[i].kind == U_COLOUR;
	if (colours < 2)
		return;
	for (unsigned i = 0; i < o->n; i++) {
		struct understand_item item = o->item[i];

		for (unsigned k = 0; item.kind == U_COLOUR && k < p->tokens; k++)
			if (p->t[k].from >= item.from && p->t[k].to <= item.to)
				p->t[k].used = false;
		if (item.kind != U_COLOUR)
			o->item[kept++] = item;
	}
	o->n = kept;
	o->colour = NULL;
	o->nears = 0;
}
