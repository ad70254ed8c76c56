/* Ranking in PostgreSQL (shop.search_ids): what answers while there is no index. */
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "gen/sql.h"
#include "search/search.h"
#include "search/search_internal.h"
#include "store/db.h"

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
search_in_database(struct ctx *c, const struct search_query *q, int64_t offset, struct search_result *out)
{
	const char *param, *text;
	struct buf b;
	size_t n;

	buf_init(&b, c->a, 512, SEARCH_QUERY_MAX);
	search_put_query(&b, q);
	buf_printf(&b, ",\"limit\":%lld,\"offset\":%lld}", (long long)q->limit, (long long)offset);
	param = buf_str(&b);
	if (db_text(c, &sql_search_ids, 1, &param, &text, &n))
		return c->err;
	if (text == NULL)
		return fail(c, E_INTERNAL, NULL);
	return read_found(c, text, n, out);
}
