/* What the interface (search.c) and ranking in PostgreSQL (search_pg.c) share. */
#ifndef SOUK_SEARCH_SEARCH_INTERNAL_H
#define SOUK_SEARCH_SEARCH_INTERNAL_H

#include "core/buf.h"
#include "search/search.h"

#define SEARCH_QUERY_MAX 16384
#define SEARCH_CURSOR_MAX 80

/* What is looked for as a JSON object, without the page: also what a cursor belongs to.  Not closed yet. */
void search_put_query(struct buf *b, const struct search_query *q);

enum err search_in_database(struct ctx *c, const struct search_query *q, int64_t offset, struct search_result *out)
	__attribute__((warn_unused_result));

#endif
