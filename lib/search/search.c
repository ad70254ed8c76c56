/* The interface of search.h over the index, or PostgreSQL while there is none. */
#include "search/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "search/engine.h"
#include "search/live.h"
#include "search/rates.h"
#include "search/search_internal.h"
#include "search/synonyms.h"
#include "search/understand_shop.h"
#include "store/db.h"

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

const char *
search_sort_name(enum search_sort sort)
{
	return sorts[sort];
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

static void
put_attributes(struct buf *b, const struct search_query *q)
{
	for (unsigned i = 0; i < q->attributes; i++) {
		buf_puts(b, i == 0 ? ",\"attributes\":{" : ",");
		buf_json_cstr(b, q->attribute[i].key);
		buf_putc(b, ':');
		buf_json_cstr(b, q->attribute[i].value);
	}
	if (q->attributes > 0)
		buf_putc(b, '}');
}

void
search_put_query(struct buf *b, const struct search_query *q)
{
	buf_puts(b, "{\"query\":");
	buf_json_cstr(b, q->text != NULL ? q->text : "");
	put_string(b, "category", q->category);
	put_string(b, "brand", q->brand);
	put_string(b, "colour", q->colour);
	put_number(b, "minPrice", q->min_price);
	put_number(b, "maxPrice", q->max_price);
	if (q->min_price != NULL || q->max_price != NULL) {
		put_string(b, "currency", q->currency != NULL ? q->currency : cfg_str("SHOP_CURRENCY"));
		put_string(b, "base", cfg_str("SHOP_CURRENCY"));
	}
	put_attributes(b, q);
	if (q->literal != 0)
		buf_printf(b, ",\"literal\":%u", (unsigned)q->literal);
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

/*
 * A cursor is "<offset>.<hash of the query>", and from the index ".<r or w>.<key>.<id>" behind it: the last product of the page, so that the next
 * one starts behind it whatever has changed before it meanwhile; and the categories that the first page favours, as ".<category>-<share>" each.
 */
struct place {
	int64_t offset;
	struct engine_after after;
};

/* ".<category>-<share>" for each. */
static bool
read_favour(const char *p, struct engine_favour *out)
{
	char *end;

	*out = (struct engine_favour){ .set = true };
	for (; *p == '.' && out->n < ENGINE_FAVOURS_MAX; p = end) {
		out->of[out->n].category = strtoull(p + 1, &end, 10);
		if (end == p + 1 || *end != '-')
			return false;
		p = end + 1;
		out->of[out->n++].share = (uint32_t)strtoul(p, &end, 16);
		if (end == p)
			return false;
	}
	return *p == '\0';
}

static const char *
put_favour(struct ctx *c, const struct engine_favour *f)
{
	const char *text = "";

	for (unsigned i = 0; i < f->n; i++)
		text = arena_printf(c->a, "%s.%llu-%x", text, (unsigned long long)f->of[i].category, f->of[i].share);
	return text;
}

static bool
read_after(const char *p, struct engine_after *after)
{
	char *end;

	if ((p[0] != 'r' && p[0] != 'w') || p[1] != '.')
		return false;
	after->raw = p[0] == 'w';
	after->key = strtoll(p + 2, &end, 10);
	if (end == p + 2 || *end != '.')
		return false;
	p = end + 1;
	after->id = strtoull(p, &end, 10);
	after->set = end > p && read_favour(end, &after->favour);
	return after->set;
}

static enum err
cursor_parse(struct ctx *c, const char *cursor, uint32_t hash, struct place *out)
{
	char *end;
	const char *p;
	unsigned long h;

	*out = (struct place){ 0 };
	if (cursor == NULL)
		return E_OK;
	if (strspn(cursor, "0123456789abcdefrw.-") != strlen(cursor) || strlen(cursor) > SEARCH_CURSOR_MAX)
		return fail(c, E_INVALID, "cursor: is not one of search_products");
	out->offset = strtoll(cursor, &end, 10);
	if (*end != '.' || end == cursor || out->offset < 1 || out->offset > SEARCH_OFFSET_MAX)
		return fail(c, E_INVALID, "cursor: is not one of search_products");
	p = end + 1;
	h = strtoul(p, &end, 16);
	if (end == p || (*end != '\0' && (*end != '.' || !read_after(end + 1, &out->after))))
		return fail(c, E_INVALID, "cursor: is not one of search_products");
	if (h != hash)
		return fail(c, E_INVALID, "cursor: belongs to another query; repeat it with the same query, filters and sortBy");
	return E_OK;
}

static double
decimal(const char *s)
{
	return s != NULL ? strtod(s, NULL) : NAN;
}

static const char *
blank_to_null(const char *text)
{
	return text != NULL && text[strspn(text, " \t\r\n")] != '\0' ? text : NULL;
}

static void
search_in_index(struct ctx *c, const struct engine_view *v, const struct search_query *q, const struct place *at, uint32_t hash,
	struct search_result *out)
{
	struct engine_result *found = arena_alloc(c->a, sizeof(*found));
	struct engine_query e = { .text = blank_to_null(q->text), .locale = q->locale, .sort = q->sort, .limit = (size_t)q->limit,
		.offset = (size_t)at->offset, .after = at->after, .facets = q->facets, .literal = q->literal,
		.filter = { .category = q->category, .brand = q->brand, .colour = q->colour, .min_price = decimal(q->min_price),
			.max_price = decimal(q->max_price), .featured = q->featured, .in_stock = q->in_stock,
			.currency = q->currency != NULL ? q->currency : cfg_str("SHOP_CURRENCY"), .attributes = q->attributes } };
	int64_t offset;

	memcpy(e.filter.attribute, q->attribute, sizeof(e.filter.attribute));
	if (q->understand) {
		struct understood *u = arena_alloc(c->a, sizeof(*u));

		understand_search(c, v, &e, found, u);
		out->understood = u;
	} else {
		engine_search(c, v, &e, found);
	}
	out->engine = found;
	out->view = v;
	out->n = found->n;
	out->ids = arena_zalloc(c->a, found->n + 1, sizeof(*out->ids));
	for (size_t i = 0; i < found->n; i++)
		out->ids[i] = arena_printf(c->a, "%llu", (unsigned long long)found->hit[i].id);
	out->total = found->total;
	out->corrected = found->words.corrected;
	offset = at->offset + (int64_t)found->n;
	if (found->more && found->n > 0 && offset <= SEARCH_OFFSET_MAX) {
		const struct engine_hit *last = &found->hit[found->n - 1];

		out->cursor = arena_printf(c->a, "%lld.%x.%c.%lld.%llu%s", (long long)offset, hash, last->raw ? 'w' : 'r', (long long)last->key,
		    (unsigned long long)last->id, put_favour(c, &found->favour));
	}
}

/* Without the index nothing tells what the shop has: prices, stock and order are understood. */
static enum err
search_without_index(struct ctx *c, const struct search_query *q, int64_t offset, struct search_result *out)
{
	struct understood *u = arena_zalloc(c->a, 1, sizeof(*u));
	struct understand_shop shop;
	struct search_query mine = *q;

	if (!q->understand || q->text == NULL)
		return search_in_database(c, q, offset, out);
	understand_shop_of(NULL, &shop);
	shop.literal = q->literal;
	understand(c->a, q->text, strlen(q->text), &shop, q->locale, u);
	mine.text = u->rest;
	if (mine.min_price == NULL && mine.max_price == NULL) {
		mine.min_price = u->min_price;
		mine.max_price = u->max_price;
	}
	mine.in_stock = mine.in_stock || u->in_stock;
	if (mine.sort == SORT_RELEVANCE && u->sorted)
		mine.sort = u->sort;
	if (search_in_database(c, &mine, offset, out))
		return c->err;
	out->understood = u;
	for (unsigned i = 0; i < u->n; i++)
		u->item[i].applied = u->item[i].kind != U_NOT && u->item[i].kind != U_BUDGET && u->item[i].kind != U_LUXURY && u->item[i].kind != U_RATING;
	return E_OK;
}

enum err
search_products(struct ctx *c, const struct search_query *q, struct search_result *out)
{
	const struct engine_view *v;
	struct place at;
	uint32_t hash;
	struct buf b;

	*out = (struct search_result){ 0 };
	buf_init(&b, c->a, 512, SEARCH_QUERY_MAX);
	search_put_query(&b, q);
	hash = query_hash(&b);
	if (cursor_parse(c, q->cursor, hash, &at))
		return c->err;
	if (q->cursor == NULL)
		at.offset = q->offset;
	if (live_view(c, &v))
		return c->err;
	if (v != NULL && (synonyms_refresh(c) || rates_refresh(c)))
		return c->err;
	if (v != NULL) {
		search_in_index(c, v, q, &at, hash, out);
		return E_OK;
	}
	if (search_without_index(c, q, at.offset, out))
		return c->err;
	at.offset += (int64_t)out->n;
	if (out->n > 0 && at.offset < out->total && at.offset <= SEARCH_OFFSET_MAX)
		out->cursor = arena_printf(c->a, "%lld.%x", (long long)at.offset, hash);
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
	buf_init(&b, c->a, 512, SEARCH_QUERY_MAX);
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
