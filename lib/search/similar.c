/* The tool get_similar_products; its contract is in tools/catalog. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "gen/sql.h"
#include "search/engine.h"
#include "search/live.h"
#include "search/search.h"
#include "store/db.h"

#define CANDIDATES 120
#define RESULT_MAX (1u << 20)

/* "12:0.35 40:0.2": how often they were bought together, 0 to 1. */
static double
bought_with(const char *pairs, uint64_t id)
{
	char *end;

	while (pairs != NULL && *pairs != '\0') {
		uint64_t other = strtoull(pairs, &end, 10);
		double score;

		if (end == pairs || *end != ':')
			return 0;
		score = strtod(end + 1, &end);
		if (other == id)
			return score;
		pairs = *end == ' ' ? end + 1 : NULL;
	}
	return 0;
}

static enum err
not_found(struct ctx *c, const struct tool_call *call)
{
	return fail(c, E_NOT_FOUND, "%s: nothing was found for these arguments", call->tool->name);
}

/* The answer of PostgreSQL alone. */
static enum err
from_database(struct ctx *c, struct tool_call *call, const char *args)
{
	if (db_text(c, &sql_similar_products, 1, &args, &call->json, &call->n))
		return c->err;
	return call->json != NULL ? E_OK : not_found(c, call);
}

static enum err
put_result(struct ctx *c, struct tool_call *call, const char *id, const struct engine_hit *hit, size_t n)
{
	struct search_result found = { .n = n, .ids = arena_zalloc(c->a, n + 1, sizeof(*found.ids)) };
	const char *rows, *locale = NULL;
	struct buf b;
	size_t len;

	for (size_t i = 0; i < n; i++)
		found.ids[i] = arena_printf(c->a, "%llu", (unsigned long long)hit[i].id);
	(void)json_get_string(call->args, "locale", 0, SIZE_MAX, &locale, &len);
	if (search_rows(c, &found, locale, &rows, &len))
		return c->err;
	buf_init(&b, c->a, len + 128, RESULT_MAX);
	buf_printf(&b, "{\"productId\":\"%s\",\"products\":", id);
	buf_put(&b, rows, len);
	buf_putc(&b, '}');
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}

enum err
similar_products_tool(struct ctx *c, struct tool_call *call)
{
	struct engine_hit *hit = arena_alloc(c->a, CANDIDATES * sizeof(*hit));
	const struct engine_view *v;
	const char *args, *id, *pairs;
	int64_t limit = 5;
	PGresult *r;
	size_t n;

	args = json_text(c, call->args, &n);
	(void)json_get_int(call->args, "limit", 1, SEARCH_LIMIT_MAX, &limit);
	if (live_view(c, &v))
		return c->err;
	if (v == NULL)
		return from_database(c, call, args);
	if (db_exec(c, &sql_similar_find, 1, &args, &r))
		return c->err;
	if (PQntuples(r) == 0)
		return not_found(c, call);
	id = PQgetvalue(r, 0, 0);
	pairs = PQgetisnull(r, 0, 1) ? NULL : PQgetvalue(r, 0, 1);
	n = engine_similar(c, v, strtoull(id, NULL, 10), CANDIDATES, hit);
	if (n < (size_t)limit)	/* hardly a word in common with anything: kind and price are left */
		return from_database(c, call, args);
	for (size_t i = 0; i < n; i++)
		hit[i].key = llround((double)hit[i].key * (1 + bought_with(pairs, hit[i].id)));
	engine_heap_sort(hit, n);
	return put_result(c, call, id, hit, (size_t)limit);
}
