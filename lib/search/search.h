/*
 * Product search: what a query, its filters and its sort order find.  This interface hides the engine: the mapped index (engine.h, live.h), or
 * PostgreSQL (shop.search_ids) while there is none.  Both give ids; the rows are then fetched by key.
 */
#ifndef SOUK_SEARCH_SEARCH_H
#define SOUK_SEARCH_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"
#include "tool/tool.h"

struct engine_result;
struct engine_view;
struct understood;

#define SEARCH_LIMIT_MAX 100	/* ids of one page */
#define SEARCH_ATTRIBUTES_MAX 8
#define SEARCH_OFFSET_MAX 100000	/* how deep pages may go */

enum search_sort { SORT_RELEVANCE, SORT_PRICE_ASC, SORT_PRICE_DESC, SORT_NEWEST, SORT_POPULAR };

/* Compared folded; a product has it when every word of the value is in its own. */
struct search_attribute {
	const char *key, *value;
};

struct search_query {
	const char *text;		/* as typed; NULL or "": everything that passes the filters */
	const char *category;		/* slug or name; products of its subtree; NULL: any */
	const char *brand, *colour;	/* without regard to case and accents; NULL: any */
	const char *min_price, *max_price;	/* decimals as JSON numbers, both included; NULL: none */
	const char *currency;		/* theirs, ISO 4217; NULL: the shop's.  Products in another one are compared at the owner's rates (rates.h) */
	struct search_attribute attribute[SEARCH_ATTRIBUTES_MAX];
	unsigned attributes;
	bool featured, in_stock;	/* only those */
	enum search_sort sort;
	int64_t limit;			/* 1..SEARCH_LIMIT_MAX */
	int64_t offset;			/* products to leave out, when there is no cursor; 0..SEARCH_OFFSET_MAX */
	const char *cursor;		/* of the page before; NULL: the first page */
	const char *locale;		/* language of the result's texts */
	uint32_t literal;		/* wishes that are not taken from the words, by 1 << enum understand_kind: they stay words */
	bool understand;		/* take filters and order from the words too (understand.h) */
	bool facets;			/* count by category, brand and colour; only the index does */
};

struct search_result {
	const char **ids;		/* product ids as decimal texts, best first */
	size_t n;
	int64_t total;			/* all matches */
	const char *cursor;		/* for the next page, NULL at the end */
	const char *corrected;		/* JSON object {"wrong word": "right word"}, NULL when nothing was corrected */
	const struct understood *understood;	/* NULL when not asked for */
	const struct engine_result *engine;	/* of the index: words and facets; NULL from PostgreSQL */
	const struct engine_view *view;	/* that it comes from; both until the next search */
};

/* "price-asc", "price-desc", "newest", "popular", NULL or "relevance"; false for others. */
bool search_sort_parse(const char *name, enum search_sort *out);

const char *search_sort_name(enum search_sort sort);

/* Find.  E_INVALID naming cursor when it is none of ours or belongs to another query; errors of the store.  The result is in c's arena. */
enum err search_products(struct ctx *c, const struct search_query *q, struct search_result *out) __attribute__((warn_unused_result));

/*
 * The products of these ids as a JSON array text, in their order, as the catalogue tools show them in a list.  Ids that are gone are left out.
 * "[]" for none.  locale NULL: the speaker's.
 */
enum err search_rows(struct ctx *c, const struct search_result *found, const char *locale, const char **json, size_t *n)
	__attribute__((warn_unused_result));

/* x-handlers: arguments and results are those of the contracts. */
enum err search_products_tool(struct ctx *c, struct tool_call *call);
enum err customers_search_tool(struct ctx *c, struct tool_call *call);
enum err similar_products_tool(struct ctx *c, struct tool_call *call);
enum err ai_search_tool(struct ctx *c, struct tool_call *call);
enum err search_suggest_tool(struct ctx *c, struct tool_call *call);

#endif
