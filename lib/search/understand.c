/* Reading a query token by token, the longest phrase first; see understand.h. */
#include "search/understand.h"

#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "search/text.h"
#include "search/understand_internal.h"

const char *
understand_filter(enum understand_kind kind)
{
	static const char *const names[U_ITEMS] = {
		[U_MAX] = "maxPrice", [U_MIN] = "minPrice", [U_BUDGET] = "priceLevel", [U_LUXURY] = "priceLevel", [U_COLOUR] = "colour",
		[U_SIZE] = "size", [U_STYLE] = "style", [U_CATEGORY] = "category", [U_STOCK] = "inStock", [U_NOT] = "exclude",
		[U_PRICE_ASC] = "sortBy", [U_PRICE_DESC] = "sortBy", [U_NEWEST] = "sortBy", [U_POPULAR] = "sortBy", [U_RATING] = "minRating",
	};

	return kind < U_ITEMS ? names[kind] : "";
}

uint32_t
understand_kinds(const char *filter)
{
	uint32_t out = 0;

	for (unsigned kind = 0; kind < U_ITEMS; kind++)
		if (strcmp(understand_filter((enum understand_kind)kind), filter) == 0)
			out |= 1u << kind;
	return out;
}

/* An amount as the locale writes it. */
static const char *
money(const struct u_parse *p, const char *value)
{
	static const struct {
		const char *code, *sign;
	} signs[] = { { "EUR", "€" }, { "USD", "$" }, { "GBP", "£" }, { "JPY", "¥" } };
	const char *code = p->out->currency != NULL ? p->out->currency : p->shop->currency, *sign = code;

	if (code == NULL)
		return value;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strcmp(signs[i].code, code) == 0)
			sign = signs[i].sign;
	if (sign == code || (p->lang >= 0 && strcmp(text_langs[p->lang], "en") != 0))
		return arena_printf(p->a, "%s %s", value, sign);
	return arena_printf(p->a, "%s%s", sign, value);
}

/* The label's text with the value in the place of "%s". */
static const char *
label(const struct u_parse *p, enum understand_kind kind, const char *value)
{
	const char *form = u_label(kind, p->lang), *at = strstr(form, "%s");

	if (at == NULL)
		return form;
	if (kind == U_MAX || kind == U_MIN)
		value = money(p, value);
	return arena_printf(p->a, "%.*s%s%s", (int)(at - form), form, value, at + 2);
}

struct understand_item *
u_item(struct u_parse *p, enum understand_kind kind, unsigned from, unsigned to, const char *value, bool use)
{
	struct understood *o = p->out;
	struct understand_item *item;

	if (o->n == UNDERSTAND_ITEMS_MAX || p->shop->literal >> kind & 1)
		return NULL;
	item = &o->item[o->n++];
	*item = (struct understand_item){ kind, p->t[from].from, p->t[to - 1].to, value, label(p, kind, value), false };
	for (unsigned i = from; use && i < to; i++)
		p->t[i].used = true;
	return item;
}

/* ---- what stays words ---- */

/* Mark brands and fixed expressions. */
static void
mark_fixed(struct u_parse *p)
{
	char phrase[PHRASE_MAX];

	for (unsigned i = 0; i < p->tokens; i++)
		for (unsigned words = PHRASE_WORDS; words > 0; words--) {
			unsigned next;
			size_t n = u_phrase(p, i, words, phrase, &next);

			if (n == 0 || !(u_find(phrase, n, U_NOT_EXCEPT, p->shop->langs, -1) != NULL ||
			    (p->shop->brand != NULL && p->shop->brand(p->shop->arg, phrase, n))))
				continue;
			for (unsigned k = i; k < next; k++)
				p->t[k].fixed = true;
			break;
		}
}

bool
u_any_fixed(const struct u_parse *p, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		if (p->t[i].fixed)
			return true;
	return false;
}

bool
u_is_stop_elsewhere(const struct u_parse *p, unsigned from, unsigned to, int lang)
{
	if (to != from + 1 || lang == p->lang)
		return false;
	for (int i = 0; i < TEXT_LANGS; i++)
		if (i != lang && p->shop->langs & 1u << i && text_is_stop(i, p->t[from].s, p->t[from].n, 0))
			return true;
	return false;
}

bool
u_in_name(const struct u_parse *p, unsigned from, unsigned to, const char *colour)
{
	char phrase[PHRASE_MAX];

	for (unsigned i = from > 0 ? from - 1 : from; i <= to - 1 && p->shop->in_names != NULL; i++) {
		unsigned next;
		size_t n = u_phrase(p, i, 2, phrase, &next);

		if (n > 0 && p->shop->in_names(p->shop->arg, phrase, n, colour))
			return true;
	}
	return false;
}

bool
u_is_stop(const struct u_parse *p, const struct u_token *t)
{
	for (int i = 0; i < TEXT_LANGS; i++)
		if (p->shop->langs & 1u << i && text_is_stop(i, t->s, t->n, 0))
			return true;
	return false;
}

/* ---- the other wishes ---- */

static unsigned
read_sort(struct u_parse *p, unsigned i)
{
	static const enum understand_kind kinds[] = {
		[SORT_PRICE_ASC] = U_PRICE_ASC, [SORT_PRICE_DESC] = U_PRICE_DESC, [SORT_NEWEST] = U_NEWEST, [SORT_POPULAR] = U_POPULAR,
	};
	enum search_sort sort;
	unsigned next;
	const struct u_word *w = u_at(p, i, U_SORT, &next);

	if (w == NULL || p->out->sorted || u_any_fixed(p, i, next) || !search_sort_parse(w->value, &sort) ||
	    u_item(p, kinds[sort], i, next, w->value, true) == NULL)
		return 0;
	p->out->sorted = true;
	p->out->sort = sort;
	return next;
}

/* Wishes that are a switch. */
static unsigned
read_switch(struct u_parse *p, unsigned i)
{
	const struct {
		enum understand_kind kind;
		bool *on;
		const char *value;
	} switches[] = {
		{ U_RATING, &p->out->rated, NULL }, { U_STOCK, &p->out->in_stock, "true" }, { U_BUDGET, &p->out->budget, "low" },
		{ U_LUXURY, &p->out->luxury, "high" },
	};

	for (size_t k = 0; k < sizeof(switches) / sizeof(switches[0]); k++) {
		unsigned next;
		const struct u_word *w = u_at(p, i, switches[k].kind, &next);

		if (w == NULL || *switches[k].on || u_any_fixed(p, i, next) || u_is_stop_elsewhere(p, i, next, w->lang))
			continue;
		if (u_item(p, switches[k].kind, i, next, switches[k].value != NULL ? switches[k].value : w->value, true) == NULL)
			return 0;
		*switches[k].on = true;
		return next;
	}
	return 0;
}

static void
mark_adjective(struct u_parse *p, enum understand_kind kind, unsigned from, unsigned to, const char *value)
{
	bool again = false;

	for (unsigned i = 0; i < p->out->n; i++)
		again = again || (p->out->item[i].kind == kind && strcmp(p->out->item[i].value, value) == 0);
	if (!again)
		(void)u_item(p, kind, from, to, value, false);
	for (unsigned k = from; k < to; k++)
		p->t[k].adjective = true;
}

/* "180x200", "60 cm". */
static unsigned
read_dimensions(struct u_parse *p, unsigned i)
{
	unsigned end = i + 1, next;
	const struct u_word *w;

	if (p->t[i].kind != T_NUMBER || (p->t[i].from > 0 && p->query[p->t[i].from - 1] == '/'))
		return 0;
	while (end + 1 < p->tokens && p->t[end].kind != T_NUMBER && p->t[end].n == 1 && p->t[end].s[0] == 'x' && p->t[end + 1].kind == T_NUMBER)
		end += 2;
	if ((w = u_at(p, end, U_UNIT, &next)) != NULL && strcmp(w->value, "length") == 0)
		end = next;
	if (end == i + 1)
		return 0;
	mark_adjective(p, U_SIZE, i, end, arena_strndup(p->a, p->query + p->t[i].from, p->t[end - 1].to - p->t[i].from));
	return end;
}

static unsigned
read_adjective(struct u_parse *p, unsigned i)
{
	static const enum understand_kind kinds[] = { U_SIZE, U_STYLE };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		unsigned next;
		const struct u_word *w = u_at(p, i, kinds[k], &next);

		if (w == NULL || u_any_fixed(p, i, next))
			continue;
		mark_adjective(p, kinds[k], i, next, w->value);
		return next;
	}
	return read_dimensions(p, i);
}

/* All words that remain, but for adjectives and stop words at the ends, are the name of a category. */
static void
read_category(struct u_parse *p)
{
	unsigned from = UNDERSTAND_TOKENS_MAX, to = 0;
	struct understand_category found;
	char phrase[PHRASE_MAX];
	size_t n = 0;

	if (p->shop->category == NULL)
		return;
	for (unsigned i = 0; i < p->tokens; i++)
		if (!p->t[i].used && !p->t[i].adjective && p->t[i].kind != T_SIGN && !u_is_stop(p, &p->t[i])) {
			from = from < i ? from : i;
			to = i + 1;
		}
	for (unsigned i = from; i < to; i++) {
		const struct u_token *t = &p->t[i];
		size_t blank = n > 0 ? 1 : 0;

		if (t->used || t->adjective || t->kind == T_SIGN)
			continue;
		if (n + blank + t->n >= sizeof(phrase))
			return;
		if (blank)
			phrase[n++] = ' ';
		memcpy(phrase + n, t->s, t->n);
		n += t->n;
	}
	if (n == 0 || !p->shop->category(p->shop->arg, phrase, n, p->lang, &found))
		return;
	if (u_item(p, U_CATEGORY, from, to, found.slug, false) == NULL)
		return;
	p->out->category = found.slug;
	p->out->item[p->out->n - 1].label = label(p, U_CATEGORY, found.name);
}

/* The query without what became a filter; empty when only stop words remain. */
static void
make_rest(struct u_parse *p)
{
	struct buf b;
	size_t at = 0;
	bool any = false, used = false;

	for (unsigned i = 0; i < p->tokens; i++) {
		any = any || (!p->t[i].used && p->t[i].kind != T_SIGN && !u_is_stop(p, &p->t[i]));
		used = used || p->t[i].used;
	}
	if (!used)
		return;
	buf_init(&b, p->a, p->n + 1, p->n * 2 + 16);
	for (unsigned i = 0; i <= p->tokens; i++) {
		size_t end = i < p->tokens ? p->t[i].from : p->n;

		if (i < p->tokens && !p->t[i].used)
			continue;
		if (i > 0 && i < p->tokens && p->t[i - 1].used)
			end = at;
		while (at < end && u_is_gap(p->query[at]))
			at++;
		while (end > at && u_is_gap(p->query[end - 1]))
			end--;
		if (end > at && b.n > 0)
			buf_putc(&b, ' ');
		buf_put(&b, p->query + at, end - at);
		at = i < p->tokens ? p->t[i].to : p->n;
	}
	p->out->rest = any || p->tokens == UNDERSTAND_TOKENS_MAX ? buf_str(&b) : "";
}

void
understand(struct arena *a, const char *query, size_t n, const struct understand_shop *shop, const char *locale, struct understood *out)
{
	struct u_parse *p = arena_zalloc(a, 1, sizeof(*p));

	*out = (struct understood){ .rest = arena_strndup(a, query, n) };
	p->a = a;
	p->query = out->rest;
	p->n = n;
	p->shop = shop;
	p->out = out;
	p->lang = locale != NULL ? text_lang(locale, strlen(locale)) : -1;
	u_read(p);
	mark_fixed(p);
	for (unsigned i = 0, next; i < p->tokens; i = next)
		if (p->t[i].used || ((next = u_price(p, i)) == 0 && (next = read_sort(p, i)) == 0 && (next = read_switch(p, i)) == 0 &&
		    (next = u_read_not(p, i)) == 0 && (next = u_read_colour(p, i)) == 0 && (next = read_adjective(p, i)) == 0))
			next = i + 1;
	u_give_back_colours(p);
	read_category(p);
	make_rest(p);
}
