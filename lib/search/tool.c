/* The tools search_products and customers_search; their contracts are in tools/catalog and tools/rest. */
#include <stdint.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "search/search.h"
#include "search/search_internal.h"
#include "search/understand.h"

#define RESULT_MAX (1u << 20)

/* Each sets *out when the member is there. */
static void
take_string(json_object *o, const char *key, const char **out)
{
	const char *s;
	size_t n;

	if (json_get_string(o, key, 0, SIZE_MAX, &s, &n) == JSON_OK)
		*out = s;
}

static void
take_number(struct ctx *c, json_object *o, const char *key, const char **out)
{
	json_object *v;
	size_t n;

	if (json_object_object_get_ex(o, key, &v) && v != NULL)
		*out = json_text(c, v, &n);
}

static void
take_attributes(json_object *o, struct search_query *q)
{
	json_object *all;

	if (json_get_object(o, "attributes", &all) != JSON_OK)
		return;
	q->attributes = 0;
	json_object_object_foreach(all, key, value) {
		if (q->attributes < SEARCH_ATTRIBUTES_MAX)
			q->attribute[q->attributes++] = (struct search_attribute){ key, json_object_get_string(value) };
	}
}

static void
take_filters(struct ctx *c, json_object *o, struct search_query *q)
{
	take_string(o, "category", &q->category);
	take_string(o, "brand", &q->brand);
	take_string(o, "colour", &q->colour);
	take_number(c, o, "minPrice", &q->min_price);
	take_number(c, o, "maxPrice", &q->max_price);
	take_string(o, "currency", &q->currency);
	take_attributes(o, q);
	(void)json_get_bool(o, "featured", &q->featured);
	(void)json_get_bool(o, "inStock", &q->in_stock);
}

/* Filters that are not to be taken from the query. */
static void
take_literal(json_object *args, struct search_query *q)
{
	json_object *names;

	if (json_get_array(args, "literal", &names) != JSON_OK)
		return;
	for (size_t i = 0; i < json_object_array_length(names); i++)
		q->literal |= understand_kinds(json_object_get_string(json_object_array_get_idx(names, i)));
}

void
search_read_args(struct ctx *c, const struct tool_call *call, struct search_query *q)
{
	const char *sort = NULL;
	json_object *filters;

	*q = (struct search_query){ .limit = 10, .understand = true };
	if (json_get_object(call->args, "filters", &filters) == JSON_OK)
		take_filters(c, filters, q);
	take_filters(c, call->args, q);
	take_string(call->args, "query", &q->text);
	take_literal(call->args, q);
	take_string(call->args, "cursor", &q->cursor);
	take_string(call->args, "locale", &q->locale);
	take_string(call->args, "sortBy", &sort);
	(void)search_sort_parse(sort, &q->sort);
	(void)json_get_int(call->args, "limit", 1, SEARCH_LIMIT_MAX, &q->limit);
}

/* The products as a JSON array; before it, when wanted, their number, so that a record that is cut keeps it. */
static enum err
put_products(struct ctx *c, const struct search_query *q, const struct search_result *found, bool total, struct buf *b)
{
	const char *rows;
	size_t n;

	if (search_rows(c, found, q->locale, &rows, &n))
		return c->err;
	buf_init(b, c->a, n + 1024, RESULT_MAX);
	buf_putc(b, '{');
	if (total)
		buf_printf(b, "\"total\":%lld,", (long long)found->total);
	buf_puts(b, "\"products\":");
	buf_put(b, rows, n);
	return E_OK;
}

/* With page or offset instead of a cursor, and the form that customersProducts has. */
enum err
customers_search_tool(struct ctx *c, struct tool_call *call)
{
	struct search_result found;
	struct search_query q;
	int64_t page = 1;
	struct buf b;

	search_read_args(c, call, &q);
	(void)json_get_int(call->args, "page", 1, 10000, &page);
	q.offset = (page - 1) * q.limit;
	(void)json_get_int(call->args, "offset", 0, SEARCH_OFFSET_MAX, &q.offset);
	if (q.offset > SEARCH_OFFSET_MAX)
		return fail(c, E_INVALID, "page: at most %d products can be paged through", SEARCH_OFFSET_MAX);
	if (search_products(c, &q, &found) || put_products(c, &q, &found, false, &b))
		return c->err;
	buf_puts(&b, ",\"query\":");
	buf_json_cstr(&b, q.text);
	buf_printf(&b, ",\"pagination\":{\"total\":%lld,\"page\":%lld,\"limit\":%lld}", (long long)found.total,
	    (long long)q.offset / (long long)q.limit + 1, (long long)q.limit);
	if (found.corrected != NULL)
		buf_printf(&b, ",\"corrected\":%s", found.corrected);
	buf_putc(&b, '}');
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}

enum err
search_products_tool(struct ctx *c, struct tool_call *call)
{
	struct search_result found;
	struct search_query q;
	struct buf b;

	search_read_args(c, call, &q);
	if (search_products(c, &q, &found) || put_products(c, &q, &found, true, &b))
		return c->err;
	if (found.understood != NULL && found.understood->n > 0)
		search_put_understood(&b, &q, &found);
	if (found.corrected != NULL) {
		buf_puts(&b, ",\"corrected\":");
		buf_puts(&b, found.corrected);
	}
	if (found.cursor != NULL) {
		buf_puts(&b, ",\"nextCursor\":");
		buf_json_cstr(&b, found.cursor);
	}
	buf_putc(&b, '}');
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}
