/* The tool list_products: what is asked for in words goes to the search engine, everything else is a list of PostgreSQL. */
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "gen/sql.h"
#include "search/search.h"
#include "shop/admin_tools.h"
#include "store/db.h"

#define RESULT_MAX (1u << 20)

static const char *
string_of(json_object *o, const char *key)
{
	const char *s;
	size_t n;

	return json_get_string(o, key, 0, SIZE_MAX, &s, &n) == JSON_OK ? s : NULL;
}

static const char *
number_of(struct ctx *c, json_object *o, const char *key)
{
	json_object *v;
	size_t n;

	return json_object_object_get_ex(o, key, &v) && v != NULL ? json_text(c, v, &n) : NULL;
}

static enum err
list(struct ctx *c, struct tool_call *call)
{
	return db_text(c, &sql_admin_list, 1, &call->args_json, &call->json, &call->n);
}

/* The found products in the form of the list. */
static enum err
put_found(struct ctx *c, struct tool_call *call, const struct search_query *q, const struct search_result *found)
{
	const char *param, *rows;
	struct buf b;
	size_t n;

	buf_init(&b, c->a, 512, RESULT_MAX);
	buf_puts(&b, "{\"ids\":[");
	for (size_t i = 0; i < found->n; i++)
		buf_printf(&b, "%s\"%s\"", i > 0 ? "," : "", found->ids[i]);
	buf_puts(&b, "],\"locale\":");
	buf_json_cstr(&b, q->locale);
	buf_putc(&b, '}');
	param = buf_str(&b);
	if (db_text(c, &sql_admin_rows, 1, &param, &rows, &n))
		return c->err;
	buf_init(&b, c->a, n + 512, RESULT_MAX);
	buf_printf(&b, "{\"products\":%s,\"total\":%lld", rows, (long long)found->total);
	if (found->cursor != NULL) {
		buf_puts(&b, ",\"nextCursor\":");
		buf_json_cstr(&b, found->cursor);
	}
	buf_putc(&b, '}');
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}

enum err
list_products_tool(struct ctx *c, struct tool_call *call)
{
	struct search_query q = { .limit = 20 };
	struct search_result found;
	bool low = false;

	q.text = string_of(call->args, "query");
	(void)json_get_bool(call->args, "lowStock", &low);
	if (q.text == NULL || q.text[strspn(q.text, " \t\r\n")] == '\0' || low || strcmp(string_of(call->args, "status"), "active") != 0)
		return list(c, call);
	q.category = string_of(call->args, "category");
	q.min_price = number_of(c, call->args, "minPrice");
	q.max_price = number_of(c, call->args, "maxPrice");
	q.cursor = string_of(call->args, "cursor");
	q.locale = string_of(call->args, "locale");
	if (q.locale == NULL)
		q.locale = call->locale;
	(void)json_get_bool(call->args, "inStock", &q.in_stock);
	(void)json_get_int(call->args, "limit", 1, SEARCH_LIMIT_MAX, &q.limit);
	(void)search_sort_parse(string_of(call->args, "sortBy"), &q.sort);
	if (search_products(c, &q, &found))
		return c->err;
	return put_found(c, call, &q, &found);
}
