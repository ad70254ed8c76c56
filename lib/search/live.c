/* See live.h. */
#include "search/live.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/log.h"
#include "core/owner.h"
#include "gen/sql.h"
#include "search/build.h"
#include "search/indexer.h"
#include "search/recent.h"
#include "store/db.h"

#define PARTS_MAX 16		/* before small ones are made one: a part costs a search some us, a merge indexes all products anew */
#define TRIM_LEAST 100		/* products whose building leaves memory worth giving back */
#define IDS_MAX ((size_t)24 * LIVE_CHANGES_MAX)

struct change {
	uint64_t xid, id;
};

static struct {
	struct engine_view view;
	uint64_t *masked[ENGINE_PARTS_MAX];
	struct seg_file file, bad;	/* the one that is open; one that could not be used */
	struct recent recent;		/* changes that all processes share, part 1 unless it has no products */
	struct seg_file recent_file;	/* the last one that was seen, usable or not */
	unsigned shared;		/* parts before those of this process alone */
	bool open, have_bad, stale;
	bool busy;			/* changes are being applied: what is found so later was interrupted */
	uint64_t from;			/* read changes from this transaction on */
	struct change *seen;		/* what the last reading gave */
	size_t seen_n;
	uint32_t changed;		/* products in the small segments */
} live;

/* ---- parts ---- */

/* The segment of recent changes goes with its file. */
static void
close_seg(struct seg *s)
{
	if (s != live.recent.seg)
		seg_close(s);
}

static void
drop_parts(unsigned from)
{
	for (unsigned i = from; i < live.view.n; i++) {
		close_seg((struct seg *)(uintptr_t)live.view.part[i].seg);
		free(live.masked[i]);
		live.masked[i] = NULL;
	}
	if (live.view.n > from)
		live.view.n = from;
}

void
live_close(void)
{
	drop_parts(0);
	recent_close(&live.recent);
	free(live.seen);
	memset(&live, 0, sizeof(live));
}

static bool
add_part(struct seg *s)
{
	unsigned i = live.view.n;
	size_t n = (size_t)s->docs / 64 + 1;

	if (i == ENGINE_PARTS_MAX || (live.masked[i] = calloc(n, sizeof(uint64_t))) == NULL) {
		close_seg(s);
		return false;
	}
	live.view.part[i] = (struct engine_part){ .seg = s, .masked = live.masked[i] };
	live.view.n++;
	return true;
}

/* Its versions in the parts before `parts` are old. */
static void
mask(uint64_t id, unsigned parts)
{
	for (unsigned p = 0; p < parts; p++) {
		const struct seg *s = live.view.part[p].seg;
		uint32_t lo = 0, hi = s->docs;

		while (lo < hi) {
			uint32_t mid = lo + (hi - lo) / 2;

			if (s->id[mid] < id)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < s->docs && s->id[lo] == id && !(live.masked[p][lo / 64] >> lo % 64 & 1)) {
			live.masked[p][lo / 64] |= (uint64_t)1 << lo % 64;
			live.view.part[p].masked_n++;
		}
	}
}

/* ---- the file ---- */

/* Was this very file verified before, by any process?  Then its checksums need not be computed again. */
static bool
is_verified(const char *path, const struct seg_file *file)
{
	char name[PATH_MAX];
	struct seg_file ok;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s.ok", path);
	if ((fd = open(name, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, &ok, sizeof(ok));
	close(fd);
	return n == (ssize_t)sizeof(ok) && seg_same(&ok, file);
}

static void
note_verified(const char *path, const struct seg_file *file)
{
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s.ok", path);
	if ((fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)) < 0)
		return;
	owner_as_folder(fd, name);
	if (write(fd, file, sizeof(*file)) != (ssize_t)sizeof(*file))
		unlink(name);
	close(fd);
}

/* Is the present file open?  Opens it when it is a new one. */
static bool
open_file(struct ctx *c)
{
	const char *path = indexer_path(), *why;
	struct seg_file now;
	struct seg *s;
	bool trust;

	if (!seg_stat(path, &now)) {
		live_close();
		return false;
	}
	if (live.open && seg_same(&now, &live.file))
		return true;
	if (live.have_bad && seg_same(&now, &live.bad))
		return false;
	live_close();
	trust = is_verified(path, &now);
	if ((s = seg_open(path, trust, &now, &why)) == NULL || !add_part(s)) {
		log_event(LOG_WARN_, c, "search index refused", LOG_S("file", path), LOG_S("why", s == NULL ? why : "no memory"));
		live.have_bad = true;
		live.bad = now;
		return false;
	}
	if (!trust)
		note_verified(path, &now);
	live.open = true;
	live.file = now;
	live.from = s->header->change;
	live.shared = 1;
	return true;
}

/* Let the file of recent changes take the place of what this process has gathered, when there is a new one. */
static void
open_recent(void)
{
	const char *path = indexer_path(), *name = recent_path(path);
	struct seg_file now;
	struct recent fresh;
	bool trust;

	if (!seg_stat(name, &now) || seg_same(&now, &live.recent_file))
		return;
	trust = is_verified(name, &now);
	if (!recent_open(path, live.view.part[0].seg, trust, &now, &fresh)) {
		live.recent_file = now;
		return;
	}
	if (!trust)
		note_verified(name, &now);
	drop_parts(1);
	recent_close(&live.recent);
	live.recent = fresh;
	live.recent_file = now;
	memset(live.masked[0], 0, ((size_t)live.view.part[0].seg->docs / 64 + 1) * sizeof(uint64_t));
	live.view.part[0].masked_n = 0;
	for (uint32_t i = 0; i < fresh.n; i++)
		mask(fresh.id[i], 1);
	free(live.seen);
	live.seen = NULL;
	live.seen_n = 0;
	live.changed = 0;
	live.from = fresh.seg->header->change;
	live.stale = false;
	live.stale = fresh.seg->docs > 0 && !add_part(fresh.seg);
	live.shared = live.view.n;
}

/* ---- changes ---- */

/* The finished segment in memory without a name. */
static struct seg *
finish(struct build *b)
{
	const char *why;
	struct seg *s = NULL;
	struct stat st;
	void *p;
	int fd = memfd_create("souk-search", MFD_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (build_finish(b, fd) && fstat(fd, &st) == 0 &&
	    (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) != MAP_FAILED) {
		if ((s = seg_open_bytes(p, (size_t)st.st_size, true, true, &why)) == NULL)
			munmap(p, (size_t)st.st_size);
	}
	close(fd);
	return s;
}

/* Index these products as one more part; those that are gone have no row. */
static enum err
index_ids(struct ctx *c, const char *ids)
{
	struct build_options o = { .memory = (size_t)64 << 20, .like = live.view.part[0].seg, .main_lang = indexer_lang() };
	struct build *b;
	struct seg *s;
	PGresult *categories, *rows;
	bool many;
	enum err e;

	if (db_exec(c, &sql_index_categories_of, 1, &ids, &categories) || db_exec(c, &sql_index_some, 1, &ids, &rows))
		return c->err;
	if ((b = build_new(&o)) == NULL)
		return fail(c, E_INTERNAL, "search: no memory");
	if ((e = indexer_feed(c, b, categories, CAT__MAX, build_category)) == E_OK)
		e = indexer_feed(c, b, rows, ROW__MAX, build_product);
	if (e == E_OK && build_docs(b) > 0) {
		s = finish(b);
		if (s == NULL || !add_part(s))
			e = fail(c, E_INTERNAL, "search: no memory for changes");
	}
	many = build_docs(b) > TRIM_LEAST;
	build_free(b);
	if (many)
		malloc_trim(0);
	return e;
}

/* Put the newest parts together, each with those behind it when it is not much larger, so that there are few and each product is seldom read. */
static enum err
merge_parts(struct ctx *c)
{
	unsigned from = live.view.n - 1;
	uint32_t sum = live.view.part[from].seg->docs;
	struct buf b;

	while (from > live.shared && (from >= live.view.n - 1 || live.view.part[from - 1].seg->docs <= 2 * sum))
		sum += live.view.part[--from].seg->docs;
	buf_init(&b, c->a, 4096, IDS_MAX);
	for (unsigned p = from; p < live.view.n; p++)
		for (uint32_t d = 0; d < live.view.part[p].seg->docs; d++)
			if (!(live.masked[p][d / 64] >> d % 64 & 1))
				buf_printf(&b, "%c%llu", b.n == 0 ? '{' : ',', (unsigned long long)live.view.part[p].seg->id[d]);
	drop_parts(from);
	if (b.n == 0)
		return E_OK;
	buf_putc(&b, '}');
	return index_ids(c, buf_str(&b));
}

static bool
was_seen(struct change change)
{
	size_t lo = 0, hi = live.seen_n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct change *s = &live.seen[mid];

		if (s->xid < change.xid || (s->xid == change.xid && s->id < change.id))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < live.seen_n && live.seen[lo].xid == change.xid && live.seen[lo].id == change.id;
}

/* Take rows of xid, product, next start, in that order; *fresh gets what was not there last time.  false: no memory. */
static bool
take_changes(const PGresult *r, struct change *fresh, size_t *fresh_n)
{
	int n = PQntuples(r);
	struct change *all = malloc(((size_t)n + 1) * sizeof(*all));
	size_t k = 0;

	*fresh_n = 0;
	if (all == NULL)
		return false;
	for (int i = 0; i < n; i++) {
		if (PQgetisnull(r, i, 0))
			continue;
		all[k] = (struct change){ strtoull(PQgetvalue(r, i, 0), NULL, 10), strtoull(PQgetvalue(r, i, 1), NULL, 10) };
		if (!was_seen(all[k]))
			fresh[(*fresh_n)++] = all[k];
		k++;
	}
	free(live.seen);
	live.seen = all;
	live.seen_n = k;
	live.from = strtoull(PQgetvalue(r, 0, 2), NULL, 10);
	return true;
}

/* Mask what changed in the parts there are, then add its new versions. */
static enum err
apply(struct ctx *c, const struct change *fresh, size_t n)
{
	unsigned parts = live.view.n;
	struct buf b;

	buf_init(&b, c->a, 1024, IDS_MAX);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%c%llu", i == 0 ? '{' : ',', (unsigned long long)fresh[i].id);
	buf_putc(&b, '}');
	if (index_ids(c, buf_str(&b)))
		return c->err;
	for (size_t i = 0; i < n; i++)
		mask(fresh[i].id, parts);
	live.changed += (uint32_t)n;
	return live.view.n > PARTS_MAX ? merge_parts(c) : E_OK;
}

static enum err
read_changes(struct ctx *c)
{
	const char *v[2] = { arena_printf(c->a, "%llu", (unsigned long long)live.from), arena_printf(c->a, "%d", LIVE_CHANGES_MAX + 1) };
	struct change *fresh;
	PGresult *r;
	size_t n;

	if (db_exec(c, &sql_search_changes, 2, v, &r))
		return c->err;
	if (PQntuples(r) > LIVE_CHANGES_MAX) {
		live.stale = true;
		return E_OK;
	}
	fresh = arena_alloc(c->a, ((size_t)PQntuples(r) + 1) * sizeof(*fresh));
	if (PQntuples(r) == 0 || !take_changes(r, fresh, &n))
		return fail(c, E_INTERNAL, "search: no memory for changes");
	if (n == 0)
		return E_OK;
	if (live.changed + n > LIVE_CHANGES_MAX)
		live.stale = true;
	return live.stale ? E_OK : apply(c, fresh, n);
}

enum err
live_view(struct ctx *c, const struct engine_view **out)
{
	enum err e;

	*out = NULL;
	if (live.busy)
		live_close();
	if (!open_file(c))
		return E_OK;
	live.busy = true;
	open_recent();
	if (live.stale) {
		live.busy = false;
		return E_OK;
	}
	e = read_changes(c);
	live.busy = false;
	if (e != E_OK) {
		/* Half applied changes must not be searched: the next call starts from the file. */
		live_close();
		return e;
	}
	if (live.stale)
		log_event(LOG_WARN_, c, "too many changes since the search index was built: PostgreSQL answers", LOG_I("changed", live.changed));
	else
		*out = &live.view;
	return E_OK;
}
