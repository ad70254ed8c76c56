/* What the interface (search.c) and ranking in PostgreSQL (search_pg.c) share. */
#ifndef SOUK_SEARCH_SEARCH_INTERNAL_H
#define SOUK_SEARCH_SEARCH_INTERNAL_H

#include "core/buf.h"
#include "search/search.h"

#define SEARCH_QUERY_MAX 16384
#define SEARCH_CURSOR_MAX 320

/* What is looked for as a JSON object, without the page: also what a cursor belongs to.  Not closed yet. */
void search_put_query(struct buf *b, const struct search_query *q);

/* The arguments of search_products and of tools like it; filters may come as arguments or together as one object, and what stands outside wins. */
void search_read_args(struct ctx *c, const struct tool_call *call, struct search_query *q);

/* ",\"understood\":[...]", what was taken from the words, when there is any. */
void search_put_understood(struct buf *b, const struct search_query *q, const struct search_result *found);

enum err search_in_database(struct ctx *c, const struct search_query *q, int64_t offset, struct search_result *out)
	__attribute__((warn_unused_result));

#endif
