/*
 * The search index file: building it from PostgreSQL, and where it is.
 *
 * A build reads categories and products in one pass, writes PATH.new beside the file, syncs it, renames it and syncs the folder.  Killed at
 * any moment it leaves the last good file; temporary data is in files without a name.  One builder at a time: PATH.lock is held, others wait.
 */
#ifndef SOUK_SEARCH_INDEXER_H
#define SOUK_SEARCH_INDEXER_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"
#include "search/build.h"

#define INDEXER_RECENT_LEAST 200	/* changed products from which on a file of their own pays (recent.h) */

/* INDEX_FILE, or STATE_DIR/search.seg. */
const char *indexer_path(void);

struct indexer_report {
	int64_t products, bytes, ms;
	uint32_t terms, words;
	uint64_t change;	/* transactions before this one are in it */
};

/* Build into path.  E_UNAVAILABLE from the store; E_INTERNAL with a message for memory and disk. */
enum err indexer_build(struct ctx *c, const char *path, size_t memory, struct indexer_report *report) __attribute__((warn_unused_result));

/* Give rows of products (build_product, ROW__MAX columns) or categories (build_category, CAT__MAX) to b. */
enum err indexer_feed(struct ctx *c, struct build *b, const PGresult *r, int columns, bool (*take)(struct build *b, const struct build_row *row))
	__attribute__((warn_unused_result));

/* Give all categories to b. */
enum err indexer_categories(struct ctx *c, struct build *b) __attribute__((warn_unused_result));

/* Number of the language of texts that name none: SHOP_LOCALE. */
int indexer_lang(void);

#endif
