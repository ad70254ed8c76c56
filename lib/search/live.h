/*
 * The index as this process sees it now: the file, the file of recent changes beside it (recent.h), which all processes share as well, and in memory
 * small segments with what changed since that was written.
 *
 * live_view() looks whether a file was replaced (stat) and asks the database once for changes (shop.search_changes); changed products are read,
 * indexed in memory, and their older versions masked.  Reading from the oldest transaction that was open last time, and leaving out what was
 * seen then, no commit is missed, however late.
 */
#ifndef SOUK_SEARCH_LIVE_H
#define SOUK_SEARCH_LIVE_H

#include "core/ctx.h"
#include "search/engine.h"

#define LIVE_CHANGES_MAX 20000	/* changed products that a process keeps in its memory; with more PostgreSQL answers until the index is built again */

/*
 * *out is NULL when there is no index that can be used (PostgreSQL answers then).  The view is valid until the next call.  Errors of the store.
 */
enum err live_view(struct ctx *c, const struct engine_view **out) __attribute__((warn_unused_result));

/* Forget all: for tests, and before the memory is counted. */
void live_close(void);

#endif
