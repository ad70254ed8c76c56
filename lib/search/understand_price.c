/* Amounts of money in a query; see understand.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "search/text.h"
#include "search/understand_internal.h"

#define AMOUNT_MAX 1e9
#define ABOUT 0.2		/* "around 50" is 40 to 60 */

struct amount {
	double value;
	const char *currency;	/* NULL: none was named */
	unsigned next;
	bool unit;		/* of something else than money */
};

/* Three digits; the last ones may have decimals ("1 200,50"). */
static bool
thousands(const struct u_token *t)
{
	return t->kind == T_NUMBER && t->n >= 3 && strspn(t->s, "0123456789") == 3 && (t->n == 3 || t->s[3] == '.');
}

/* "1 200" in front of a currency is one number. */
static unsigned
grouped(const struct u_parse *p, unsigned i, double *value)
{
	unsigned j = i + 1, behind;

	while (j < p->tokens && p->t[i].n <= 3 && thousands(&p->t[j]) && (j == i + 1 || p->t[j - 1].n == 3))
		j++;
	if (j == i + 1 || u_at(p, j, U_CURRENCY, &behind) == NULL)
		return i + 1;
	for (unsigned k = i + 1; k < j; k++)
		*value = *value * 1000 + strtod(p->t[k].s, NULL);
	return j;
}

/* "fifty euros"; without a currency it is none. */
static bool
in_words(const struct u_parse *p, const struct u_word *number, unsigned next, struct amount *out)
{
	const struct u_word *w = u_at(p, next, U_CURRENCY, &out->next);

	if (w == NULL)
		return false;
	out->value = strtod(number->value, NULL);
	out->currency = w->value;
	return true;
}

static bool
read_amount(const struct u_parse *p, unsigned i, struct amount *out)
{
	const struct u_token *t;
	const struct u_word *w;
	unsigned next;

	*out = (struct amount){ 0 };
	if (i < p->tokens && p->t[i].kind != T_NUMBER && (w = u_at(p, i, U_CURRENCY, &next)) != NULL) {
		out->currency = w->value;
		i = next;
	}
	if ((w = u_at(p, i, U_NUMBER, &next)) != NULL)
		return in_words(p, w, next, out);
	if (i >= p->tokens || p->t[i].kind != T_NUMBER || p->t[i].used)
		return false;
	t = &p->t[i];
	out->value = strtod(t->s, NULL);
	out->next = grouped(p, i, &out->value);
	if ((w = u_at(p, out->next, U_CURRENCY, &next)) != NULL && (out->currency == NULL || strcmp(w->value, out->currency) == 0)) {
		out->currency = w->value;
		out->next = next;
	}
	out->unit = out->currency == NULL && u_at(p, out->next, U_UNIT, &next) != NULL;
	return out->value > 0 && out->value <= AMOUNT_MAX && !(t->glued && i > 0 && t[-1].kind == T_WORD);
}

/* A number behind people is an age or a size. */
static bool
of_people(const struct u_parse *p, unsigned i)
{
	unsigned next;

	return i > 0 && u_at(p, i - 1, U_PEOPLE, &next) != NULL;
}

static const char *
decimal(struct arena *a, double v)
{
	double cents = v * 100;

	return fabs(cents - round(cents / 100) * 100) < 0.5 ? arena_printf(a, "%.0f", v) : arena_printf(a, "%.2f", v);
}

static void
set_price(struct u_parse *p, enum understand_kind kind, unsigned from, unsigned to, double value, const char *currency)
{
	const char *text = decimal(p->a, value);
	const char **where = kind == U_MAX ? &p->out->max_price : &p->out->min_price;

	const char *before = p->out->currency;

	if (*where != NULL)
		return;
	if (currency != NULL && p->shop->currency != NULL && strcmp(currency, p->shop->currency) != 0)
		p->out->currency = currency;
	if (u_item(p, kind, from, to, text, true) != NULL)
		*where = text;
	else
		p->out->currency = before;
}

/* Two amounts with a word or a dash between them. */
static unsigned
range(struct u_parse *p, unsigned start, unsigned i, bool bare)
{
	struct amount a, b;
	unsigned next;
	const char *currency;

	if (!read_amount(p, i, &a))
		return 0;
	next = a.next;
	if (next < p->tokens && p->t[next].kind == T_SIGN && p->t[next].s[0] == '-')
		next++;
	else if (u_at(p, next, U_AND, &next) == NULL)
		return 0;
	if (!read_amount(p, next, &b) || b.unit || (a.value > b.value && start == i))
		return 0;
	if (a.value > b.value) {	/* "between 40 and 20" */
		double low = b.value;

		b.value = a.value;
		a.value = low;
	}
	currency = b.currency != NULL ? b.currency : a.currency;
	if (currency == NULL && (!bare || of_people(p, start)))
		return 0;
	set_price(p, U_MIN, start, b.next, a.value, currency);
	set_price(p, U_MAX, start, b.next, b.value, currency);
	return b.next;
}

static unsigned
between(struct u_parse *p, unsigned i)
{
	unsigned next, end;
	const struct u_word *w = u_at(p, i, U_BETWEEN, &next);

	if (w != NULL && (end = range(p, i, next, w->value[0] == '\0')) > 0)
		return end;
	return range(p, i, i, false);
}

/* Words before an amount: "under 50", "ab 30 Euro", "around $20". */
static unsigned
before(struct u_parse *p, unsigned i)
{
	static const enum understand_kind kinds[] = { U_MAX_BEFORE, U_MIN_BEFORE, U_ABOUT };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct amount a;
		unsigned next;
		const struct u_word *w = u_at(p, i, kinds[k], &next);

		if (w == NULL || !read_amount(p, next, &a) || a.unit)
			continue;
		if (a.currency == NULL && (kinds[k] == U_ABOUT || w->value[0] != '\0' || of_people(p, i) ||
		    (a.next < p->tokens && p->t[a.next].kind != T_SIGN && p->t[a.next].glued)))
			continue;
		if (kinds[k] != U_MAX_BEFORE)
			set_price(p, U_MIN, i, a.next, kinds[k] == U_ABOUT ? a.value * (1 - ABOUT) : a.value, a.currency);
		if (kinds[k] != U_MIN_BEFORE)
			set_price(p, U_MAX, i, a.next, kinds[k] == U_ABOUT ? a.value * (1 + ABOUT) : a.value, a.currency);
		return a.next;
	}
	return 0;
}

/* A query that ends with an amount of money: about so much. */
static unsigned
at_the_end(struct u_parse *p, unsigned i, const struct amount *a)
{
	if (i == 0 || a->next < p->tokens)
		return 0;
	set_price(p, U_MIN, i, a->next, a->value * (1 - ABOUT), a->currency);
	set_price(p, U_MAX, i, a->next, a->value * (1 + ABOUT), a->currency);
	return a->next;
}

/* "50 € maximum", "$50 or more", "lamp 50 €". */
static unsigned
behind(struct u_parse *p, unsigned i)
{
	struct amount a;
	unsigned next;

	if (!read_amount(p, i, &a) || a.currency == NULL)
		return 0;
	if (u_at(p, a.next, U_MAX_AFTER, &next) != NULL)
		set_price(p, U_MAX, i, next, a.value, a.currency);
	else if (u_at(p, a.next, U_MIN_AFTER, &next) != NULL)
		set_price(p, U_MIN, i, next, a.value, a.currency);
	else
		return at_the_end(p, i, &a);
	return next;
}

unsigned
u_price(struct u_parse *p, unsigned i)
{
	unsigned next;

	if ((next = between(p, i)) > 0 || (next = before(p, i)) > 0)
		return next;
	return behind(p, i);
}
