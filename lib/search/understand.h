/*
 * What a query says beside its words: "lampe rouge à moins de 50 euros" is "lampe", the colour red and a highest price.
 *
 * understand() is a function of its arguments alone.  Phrases come from tables of data, one file for each language (words/XX.def); all of the
 * shop's languages are understood whatever the locale, which only decides between readings.  The shop tells what it has (categories, colours,
 * brands, names of products) by callbacks, so that words it uses otherwise stay words:
 *   - a number is a price with a currency, or behind a word that tells a price; never before a unit ("under 60 cm") nor behind people
 *     ("vitamins for women over 50");
 *   - a colour is a filter when the shop has it, it is the only one, and it is not part of a brand or of a name of products in other
 *     colours ("orange juice squeezer");
 *   - a category is a filter when nothing else but adjectives remains; its words are still searched, so that they rank;
 *   - negation needs a word before it; fixed expressions ("sans fil", "no show socks") and names ("Listen Without Prejudice") stay words.
 *     Where names of products say the same ("Knife Set without Block") its words are searched too, so that these are found;
 * Sizes and styles are told, but remain words of the search.  Prices are taken in the shop's currency whatever the query names; the label
 * shows that.  What is found is told with the bytes it came from, so that a page can offer to take it back.
 */
#ifndef SOUK_SEARCH_UNDERSTAND_H
#define SOUK_SEARCH_UNDERSTAND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "search/search.h"

#define UNDERSTAND_TOKENS_MAX 64	/* what stands behind is left as it is */
#define UNDERSTAND_ITEMS_MAX 16
#define UNDERSTAND_EXCLUDE_MAX 4
#define UNDERSTAND_NEAR_MAX 8

/* Kinds of phrases in the tables; the first ones are also kinds of items. */
enum understand_kind {
	U_MAX, U_MIN, U_BUDGET, U_LUXURY, U_COLOUR, U_SIZE, U_STYLE, U_CATEGORY, U_STOCK, U_NOT, U_PRICE_ASC, U_PRICE_DESC, U_NEWEST, U_POPULAR,
	U_RATING, U_ITEMS,
	U_MAX_BEFORE = U_ITEMS,	/* before an amount; value "money": only with a currency */
	U_MAX_AFTER,		/* behind an amount with a currency */
	U_MIN_BEFORE, U_MIN_AFTER, U_BETWEEN, U_AND, U_ABOUT,
	U_CURRENCY,		/* value: ISO 4217 */
	U_UNIT,			/* a number before it is no price; value "length": it is a size */
	U_PEOPLE,		/* a number behind is an age */
	U_OR,			/* between two colours that are not wanted */
	U_NUMBER,		/* an amount in words; value: in digits */
	U_NOT_EXCEPT,		/* looks like a negation, but is none */
	U_SORT			/* value: sort order as search_sort_parse() reads it */
};

struct understand_category {
	const char *slug, *name;	/* as long as the arena lives */
};

/* What the shop has.  Phrases are folded (text_fold) with single blanks; each callback may be NULL. */
struct understand_shop {
	const char *currency;		/* ISO 4217 */
	unsigned langs;			/* bit mask over text_langs */
	uint32_t literal;		/* kinds that stay words, 1 << kind */
	const void *arg;
	/* The one category with that name, in any language and number; out->name in lang (of text_langs, -1: any). */
	bool (*category)(const void *arg, const char *phrase, size_t n, int lang, struct understand_category *out);
	/* The shop's own name of a colour; "" when it is a word of such names ("rouge" of "rouge brique"); NULL: it has none, or its colours are
	   no fixed list. */
	const char *(*colour)(const void *arg, const char *phrase, size_t n);
	/* Do texts of the shop have this word? */
	bool (*word)(const void *arg, const char *word, size_t n);
	bool (*brand)(const void *arg, const char *phrase, size_t n);
	/* Are there products with these two words side by side in the name, and not in that colour? */
	bool (*in_names)(const void *arg, const char *phrase, size_t n, const char *colour);
	/* Do names of products have not and word side by side, and none that has before and word has them otherwise? */
	bool (*only_negated)(const void *arg, const char *before, const char *not, const char *word);
};

struct understand_item {
	enum understand_kind kind;	/* below U_ITEMS */
	size_t from, to;		/* bytes of the query */
	const char *value;		/* "50", "rouge", a slug; "" for what needs none */
	const char *label;		/* for people, in the locale */
	bool applied;			/* for whoever searches: the search was made with it */
};

struct understood {
	const char *rest;		/* the words to search; the query itself when nothing was found */
	struct understand_item item[UNDERSTAND_ITEMS_MAX];
	unsigned n;
	const char *min_price, *max_price;	/* decimals in the shop's currency, NULL */
	const char *currency;		/* that the query named and is not the shop's, NULL */
	const char *category, *colour;	/* NULL */
	const char *near[UNDERSTAND_NEAR_MAX];	/* the shop's colours that look most like it, for when nothing has the colour itself */
	unsigned nears;
	const char *exclude[UNDERSTAND_EXCLUDE_MAX];	/* folded words; a product with all words of one is not wanted */
	unsigned excludes;
	const char *exclude_colour[UNDERSTAND_EXCLUDE_MAX];	/* the shop's names */
	unsigned exclude_colours;
	bool in_stock;
	bool budget, luxury;		/* a low or high price, whatever that is here */
	bool rated;			/* only well rated ones */
	bool by_model;			/* a language model read the query */
	bool sorted;
	enum search_sort sort;
};

/* query: n bytes, UTF-8 or not.  locale NULL: English labels.  Everything is in a. */
void understand(struct arena *a, const char *query, size_t n, const struct understand_shop *shop, const char *locale, struct understood *out);

/* The name of the filter that an item stands for: "maxPrice", "colour" ... */
const char *understand_filter(enum understand_kind kind);
/* The kinds of that filter, 1 << kind each; 0 for a name that is none. */
uint32_t understand_kinds(const char *filter);

/* Is it a folded word with which wishes are said ("under", "rouge", "euros")?  It is no mistyped name of something, then. */
bool understand_is_word(const char *s, size_t n, unsigned langs);

#endif
