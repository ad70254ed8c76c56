/* Ranking in PostgreSQL behind the interface of search.h. */
#include "search/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "gen/sql.h"
#include "store/db.h"

#define QUERY_MAX 16384

static const char *const sorts[] = {
	[SORT_RELEVANCE] = "relevance", [SORT_PRICE_ASC] = "price-asc", [SORT_PRICE_DESC] = "price-desc", [SORT_NEWEST] = "newest",
	[SORT_POPULAR] = "popular",
};

bool
search_sort_parse(const char *name, enum search_sort *out)
{
	*out = SORT_RELEVANCE;
	if (name == NULL)
		return true;
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (strcmp(sorts[i], name) == 0) {
			*out = (enum search_sort)i;
			return true;
		}
	return false;
}

static void
put_string(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(b, ",\"%s\":", key);
	buf_json_cstr(b, value);
}

static void
put_number(struct buf *b, const char *key, const char *value)
{
	if (value != NULL)
		buf_printf(b, ",\"%s\":%s", key, value);
}

/* What is looked for, without the page: also what a cursor belongs to.  Not closed yet. */
static void
put_query(struct buf *b, const struct search_query *q)
{
	buf_puts(b, "{\"query\":");
	buf_json_cstr(b, q->text != NULL ? q->text : "");
	put_string(b, "category", q->category);
	put_string(b, "brand", q->brand);
	put_string(b, "colour", q->colour);
	put_number(b, "minPrice", q->min_price);
	put_number(b, "maxPrice", q->max_price);
	if (q->featured)
		buf_puts(b, ",\"featured\":true");
	if (q->in_stock)
		buf_puts(b, ",\"inStock\":true");
	if (q->sort != SORT_RELEVANCE)
		put_string(b, "sortBy", sorts[q->sort]);
}

/* FNV-1a; only tells queries apart, hides nothing. */
static uint32_t
query_hash(const struct buf *b)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < b->n; i++)
		h = (h ^ (unsigned char)b->p[i]) * 16777619u;
	return h;
}

/* A cursor is "<offset>.<hash of the query>". */
static enum err
cursor_parse(struct ctx *c, const char *cursor, uint32_t hash, int64_t *offset)
{
	char *dot, *end;
	long long at;
	unsigned long h;

	*offset = 0;
	if (cursor == NULL)
		return E_OK;
	if (strspn(cursor, "0123456789abcdef.") != strlen(cursor) || strlen(cursor) > 20)
		return fail(c, E_INVALID, "cursor: is not one of search_products");
	at = strtoll(cursor, &dot, 10);
	if (*dot != '.' || dot == cursor || at < 1 || at > SEARCH_OFFSET_MAX)
		return fail(c, E_INVALID, "cursor: is not one of search_products");
	h = strtoul(dot + 1, &end, 16);
	if (*end != '\0' || end == dot + 1)
		return fail(c, E_INVALID, "cursor: is not one of search_products");
	if (h != hash)
		return fail(c, E_INVALID, "cursor: belongs to another query; repeat it with the same query, filters and sortBy");
	*offset = at;
	return E_OK;
}

/* Read {"ids": [...], "total": n, "corrected": {...}}. */
static enum err
read_found(struct ctx *c, const char *text, size_t n, struct search_result *out)
{
	json_object *o, *ids, *corrected;
	size_t len;

	if (json_parse(c, text, n, &o))
		return c->err;
	if (json_get_array(o, "ids", &ids) != JSON_OK || json_get_int(o, "total", 0, INT64_MAX, &out->total) != JSON_OK)
		return fail(c, E_INTERNAL, NULL);
	out->n = json_object_array_length(ids);
	out->ids = arena_zalloc(c->a, out->n + 1, sizeof(*out->ids));
	for (size_t i = 0; i < out->n; i++)
		out->ids[i] = json_object_get_string(json_object_array_get_idx(ids, i));
	if (json_get_object(o, "corrected", &corrected) == JSON_OK && json_object_object_length(corrected) > 0)
		out->corrected = json_text(c, corrected, &len);
	return E_OK;
}

enum err
search_products(struct ctx *c, const struct search_query *q, struct search_result *out)
{
	const char *param, *text;
	int64_t offset;
	uint32_t hash;
	struct buf b;
	size_t n;

	*out = (struct search_result){ 0 };
	buf_init(&b, c->a, 512, QUERY_MAX);
	put_query(&b, q);
	hash = query_hash(&b);
	if (cursor_parse(c, q->cursor, hash, &offset))
		return c->err;
	buf_printf(&b, ",\"limit\":%lld,\"offset\":%lld}", (long long)q->limit, (long long)offset);
	param = buf_str(&b);
	if (db_text(c, &sql_search_ids, 1, &param, &text, &n))
		return c->err;
	if (text == NULL)
		return fail(c, E_INTERNAL, NULL);
	if (read_found(c, text, n, out))
		return c->err;
	offset += (int64_t)out->n;
	if (out->n > 0 && offset < out->total && offset <= SEARCH_OFFSET_MAX)
		out->cursor = arena_printf(c->a, "%lld.%x", (long long)offset, hash);
	return E_OK;
}

enum err
search_rows(struct ctx *c, const struct search_result *found, const char *locale, const char **json, size_t *n)
{
	const char *param;
	struct buf b;

	*json = "[]";
	*n = 2;
	if (found->n == 0)
		return E_OK;
	buf_init(&b, c->a, 512, QUERY_MAX);
	buf_puts(&b, "{\"ids\":[");
	for (size_t i = 0; i < found->n; i++)
		buf_printf(&b, "%s\"%s\"", i > 0 ? "," : "", found->ids[i]);
	buf_putc(&b, ']');
	put_string(&b, "locale", locale);
	buf_putc(&b, '}');
	param = buf_str(&b);
	if (db_text(c, &sql_search_rows, 1, &param, json, n))
		return c->err;
	return *json != NULL ? E_OK : fail(c, E_INTERNAL, NULL);
}
