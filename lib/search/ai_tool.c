/* The routes of a page's search box: POST /api/ai/search and /api/ai/search/suggest; their contracts are in tools/rest. */
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "core/money.h"
#include "search/live.h"
#include "search/model.h"
#include "search/search_internal.h"
#include "search/suggest.h"
#include "search/understand_json.h"
#include "search/understand_shop.h"

#define RESULT_MAX (1u << 20)
#define REFINE_MAX 3		/* suggestions from one facet */
#define SUGGEST_PRODUCTS 5

static enum err
switched_on(struct ctx *c)
{
	return cfg_bool("ENABLE_AI_SEARCH") ? E_OK : fail(c, E_NOT_FOUND, "this shop has its search in everyday words switched off (ENABLE_AI_SEARCH)");
}

/* ---- search ---- */

/* Values and counts of a facet. */
static void
put_facet(struct buf *b, const char *name, const struct engine_facet *f, const struct engine_view *v, const char *locale)
{
	buf_printf(b, "\"%s\":[", name);
	for (unsigned i = 0; i < f->n; i++) {
		const char *label = v != NULL ? understand_category_name(v, f->value[i].name, f->value[i].n, locale) : NULL;

		buf_puts(b, i > 0 ? ",{\"value\":" : "{\"value\":");
		buf_json_string(b, f->value[i].name, f->value[i].n);
		if (label != NULL) {
			buf_puts(b, ",\"label\":");
			buf_json_cstr(b, label);
		}
		buf_printf(b, ",\"count\":%u}", f->value[i].count);
	}
	buf_putc(b, ']');
}

static void
put_facets(struct buf *b, const struct engine_result *e, const struct engine_view *v, const char *locale)
{
	buf_puts(b, ",\"facets\":{");
	put_facet(b, "categories", &e->category, v, locale);
	buf_putc(b, ',');
	put_facet(b, "brands", &e->brand, NULL, NULL);
	buf_putc(b, ',');
	put_facet(b, "colours", &e->colour, NULL, NULL);
	buf_putc(b, '}');
}

/* Filters that would narrow the result: those values that some, but not all products have. */
static unsigned
put_refinements(struct buf *b, unsigned n, const char *filter, const struct engine_facet *f, int64_t total, const struct engine_view *v,
	const char *locale)
{
	unsigned told = 0;

	for (unsigned i = 0; i < f->n && told < REFINE_MAX; i++) {
		const struct engine_count *k = &f->value[i];
		const char *label = v != NULL ? understand_category_name(v, k->name, k->n, locale) : NULL;

		if (k->count >= total)
			continue;
		buf_puts(b, n + told > 0 ? ",{\"label\":" : "{\"label\":");
		if (label != NULL)
			buf_json_cstr(b, label);
		else
			buf_json_string(b, k->name, k->n);
		buf_printf(b, ",\"filters\":{\"%s\":", filter);
		buf_json_string(b, k->name, k->n);
		buf_puts(b, "}}");
		told++;
	}
	return n + told;
}

static void
put_suggestions(struct buf *b, const struct search_query *q, const struct search_result *found)
{
	const struct engine_result *e = found->engine;
	const struct understood *u = found->understood;
	unsigned n = 0;

	buf_puts(b, ",\"suggestions\":[");
	if (e != NULL) {
		if (q->category == NULL && !understand_applied(u, U_CATEGORY))
			n = put_refinements(b, n, "category", &e->category, found->total, found->view, q->locale);
		if (q->colour == NULL && !understand_applied(u, U_COLOUR))
			n = put_refinements(b, n, "colour", &e->colour, found->total, NULL, NULL);
		if (q->brand == NULL)
			(void)put_refinements(b, n, "brand", &e->brand, found->total, NULL, NULL);
	}
	buf_putc(b, ']');
}

/* Words that the index does not know, and that were not corrected or completed either. */
static void
put_not_understood(struct buf *b, const struct engine_result *e)
{
	unsigned n = 0;

	buf_puts(b, ",\"notUnderstood\":[");
	for (unsigned i = 0; e != NULL && i < e->words.n; i++) {
		const struct engine_word *w = &e->words.word[i];

		if (w->known || w->corrected || w->idf > 0 || w->flags & TEXT_JOINED || w->typed_n == 0)
			continue;
		if (n++ > 0)
			buf_putc(b, ',');
		buf_json_string(b, w->typed, w->typed_n);
	}
	buf_putc(b, ']');
}

/* Did the built-in parser leave something: nothing was found, or words that nobody knows? */
static bool
is_left_over(const struct search_result *found)
{
	const struct engine_result *e = found->engine;

	if (found->total == 0)
		return true;
	for (unsigned i = 0; e != NULL && i < e->words.n; i++) {
		const struct engine_word *w = &e->words.word[i];

		if (!w->known && !w->corrected && w->idf <= 0 && !(w->flags & TEXT_JOINED) && w->typed_n > 0)
			return true;
	}
	return false;
}

/* A configured model reads what was left; its reading counts when it finds something. */
static enum err
ask_model(struct ctx *c, const struct search_query *q, struct search_result *found)
{
	struct search_query mine;
	struct search_result better;
	struct understood *u;

	if (!model_is_on() || q->cursor != NULL || !is_left_over(found) || !model_read(c, q, found->view, &mine))
		return E_OK;
	if (search_products(c, &mine, &better))
		return c->err;
	if (better.total == 0)
		return E_OK;
	u = arena_zalloc(c->a, 1, sizeof(*u));
	*u = (struct understood){ .rest = mine.text != NULL ? mine.text : "", .category = mine.category, .colour = mine.colour, .min_price = mine.min_price,
		.max_price = mine.max_price, .in_stock = mine.in_stock, .sorted = mine.sort != SORT_RELEVANCE, .sort = mine.sort, .by_model = true };
	better.understood = u;
	better.cursor = NULL;	/* the next page would be of the query as it was typed */
	*found = better;
	return E_OK;
}

enum err
ai_search_tool(struct ctx *c, struct tool_call *call)
{
	struct search_result found;
	struct search_query q;
	const char *rows;
	struct buf b;
	size_t n;

	if (switched_on(c))
		return c->err;
	search_read_args(c, call, &q);
	q.facets = true;
	if (q.locale == NULL)
		q.locale = call->locale;
	if (search_products(c, &q, &found) || ask_model(c, &q, &found) || search_rows(c, &found, q.locale, &rows, &n))
		return c->err;
	buf_init(&b, c->a, n + 4096, RESULT_MAX);
	/* The total comes first, so that a record that is cut keeps it. */
	buf_printf(&b, "{\"success\":true,\"total\":%lld,\"searchId\":", (long long)found.total);
	buf_json_cstr(&b, c->id);
	buf_puts(&b, ",\"data\":");
	buf_put(&b, rows, n);
	buf_puts(&b, ",\"intent\":");
	understand_put_intent(&b, found.understood);
	search_put_understood(&b, &q, &found);
	put_not_understood(&b, found.engine);
	put_suggestions(&b, &q, &found);
	if (found.engine != NULL)
		put_facets(&b, found.engine, found.view, q.locale);
	else
		buf_puts(&b, ",\"facets\":{\"categories\":[],\"brands\":[],\"colours\":[]}");
	buf_printf(&b, ",\"corrected\":%s", found.corrected != NULL ? found.corrected : "{}");
	if (found.cursor != NULL) {
		buf_puts(&b, ",\"nextCursor\":");
		buf_json_cstr(&b, found.cursor);
	}
	buf_putc(&b, '}');
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}

/* ---- suggestions ---- */

static bool
has_category(const struct suggestions *s, const char *slug)
{
	for (unsigned i = 0; i < s->categories; i++)
		if (strcmp(s->category[i].slug, slug) == 0)
			return true;
	return false;
}

/* What was understood of the text so far, as filters that a click can set. */
static unsigned
put_understood_filters(struct buf *b, const struct suggestions *s, const struct search_result *found)
{
	const struct understood *u = found->understood;
	unsigned n = 0;

	for (unsigned i = 0; u != NULL && i < u->n; i++) {
		const struct understand_item *item = &u->item[i];

		if (!item->applied || (item->kind == U_CATEGORY && has_category(s, item->value)))
			continue;
		if (item->kind != U_MAX && item->kind != U_MIN && item->kind != U_COLOUR && item->kind != U_CATEGORY && item->kind != U_STOCK)
			continue;
		buf_puts(b, n++ > 0 ? ",{\"label\":" : "{\"label\":");
		buf_json_cstr(b, item->label);
		buf_printf(b, ",\"filters\":{\"%s\":", understand_filter(item->kind));
		if (item->kind == U_COLOUR || item->kind == U_CATEGORY)
			buf_json_cstr(b, item->value);
		else
			buf_puts(b, item->value);
		buf_puts(b, "}}");
	}
	return n;
}

static void
put_categories(struct buf *b, unsigned n, const struct suggestions *s)
{
	for (unsigned i = 0; i < s->categories; i++) {
		buf_puts(b, n++ > 0 ? ",{\"label\":" : "{\"label\":");
		buf_json_cstr(b, s->category[i].name);
		buf_puts(b, ",\"filters\":{\"category\":");
		buf_json_cstr(b, s->category[i].slug);
		buf_puts(b, "}}");
	}
}

enum err
search_suggest_tool(struct ctx *c, struct tool_call *call)
{
	const struct engine_view *v;
	struct suggestions s = { 0 };
	struct search_result found;
	struct search_query q;
	const char *rows;
	struct buf b;
	size_t n;

	if (switched_on(c))
		return c->err;
	search_read_args(c, call, &q);
	q.limit = SUGGEST_PRODUCTS;
	if (q.locale == NULL)
		q.locale = call->locale;
	if (live_view(c, &v))
		return c->err;
	if (v != NULL) {
		suggest(c, v, q.text, q.locale, &s);
		q.text = s.text;
	}
	if (search_products(c, &q, &found) || search_rows(c, &found, q.locale, &rows, &n))
		return c->err;
	buf_init(&b, c->a, n + 2048, RESULT_MAX);
	buf_puts(&b, "{\"completions\":[");
	for (unsigned i = 0; i < s.n; i++) {
		if (i > 0)
			buf_putc(&b, ',');
		buf_json_cstr(&b, s.completion[i]);
	}
	buf_puts(&b, "],\"aiSuggestions\":[");
	put_categories(&b, put_understood_filters(&b, &s, &found), &s);
	buf_puts(&b, "],\"products\":");
	buf_put(&b, rows, n);
	buf_putc(&b, '}');
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}
