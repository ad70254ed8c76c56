/*
 * What changed since the index file was built, as a second file beside it (PATH.recent) that all processes map: a segment with the new versions of
 * changed products, then the ids of all that changed, those that are gone too, then a trailer.  So a large shop need not build its whole index
 * anew for some thousand changes, nor each process keep them in memory of its own; only what came after this file does (live.h).
 *
 * It belongs to one index file, by the time and the transaction of its building, and is ignored beside any other.  Written beside, synced and renamed
 * like the index.  docs/search-format.md tells its bytes.
 */
#ifndef SOUK_SEARCH_RECENT_H
#define SOUK_SEARCH_RECENT_H

#include "core/ctx.h"
#include "search/segment.h"

#define RECENT_MAX 50000u	/* changed products that it holds at most */

struct recent {
	struct seg *seg;	/* may have no products */
	const uint64_t *id;	/* ascending */
	uint32_t n;
	void *map;
	size_t size;
};

/* PATH.recent. */
const char *recent_path(const char *path);

/* Map the file that belongs to base.  false: there is none, or it is damaged; checksums of its segment are compared unless trust is set. */
bool recent_open(const char *path, const struct seg *base, bool trust, struct seg_file *file, struct recent *out);
void recent_close(struct recent *r);

/*
 * Write it: all that changed since base, the index at path, was built.  *n gets how many products these are; more than RECENT_MAX, or fewer than least,
 * are not written.  Errors of the store; E_INTERNAL with a message for memory and disk.
 */
enum err recent_build(struct ctx *c, const char *path, const struct seg *base, uint32_t least, uint32_t *n) __attribute__((warn_unused_result));

#endif
