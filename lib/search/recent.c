/* See recent.h. */
#include "search/recent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/owner.h"
#include "gen/sql.h"
#include "search/build.h"
#include "search/indexer.h"
#include "store/db.h"

#define MAGIC "SOUKNEW\n"
#define VERSION 1u
#define CHUNK 1000		/* products that are read at once */
#define CHUNK_MEMORY ((size_t)64 << 20)
#define BUILD_MEMORY ((size_t)32 << 20)

/* At the end of the file, behind the ids. */
struct trailer {
	char magic[8];
	uint32_t version, n;
	uint64_t base_change;
	int64_t base_built_ms;
	uint64_t seg_size;
	uint32_t checksum;	/* CRC-32 of the ids, then of the trailer with this member 0 */
	uint32_t reserved;
};

const char *
recent_path(const char *path)
{
	static char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s.recent", path);
	return name;
}

static uint32_t
checksum_of(const uint64_t *id, struct trailer t)
{
	t.checksum = 0;
	return (uint32_t)crc32(crc32(crc32(0, NULL, 0), (const void *)id, (uInt)(t.n * sizeof(*id))), (const void *)&t, sizeof(t));
}

/* ---- reading ---- */

static bool
take_bytes(unsigned char *p, size_t size, const struct seg *base, bool trust, struct recent *out)
{
	const char *why;
	struct trailer t;

	if (size < sizeof(t))
		return false;
	memcpy(&t, p + size - sizeof(t), sizeof(t));
	if (memcmp(t.magic, MAGIC, sizeof(t.magic)) != 0 || t.version != VERSION || t.n > RECENT_MAX || t.base_change != base->header->change ||
	    t.base_built_ms != base->header->built_ms || t.seg_size % 8 != 0 || t.seg_size > size ||
	    size - t.seg_size != t.n * sizeof(uint64_t) + sizeof(t))
		return false;
	out->id = (const void *)(p + t.seg_size);
	out->n = t.n;
	if (checksum_of(out->id, t) != t.checksum)
		return false;
	out->seg = seg_open_bytes(p, t.seg_size, false, trust, &why);
	return out->seg != NULL;
}

bool
recent_open(const char *path, const struct seg *base, bool trust, struct seg_file *file, struct recent *out)
{
	const char *name = recent_path(path);
	struct stat st;
	void *p = MAP_FAILED;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	*out = (struct recent){ .map = NULL };
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		seg_file_of(&st, file);
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	}
	close(fd);
	if (p == MAP_FAILED)
		return false;
	if (!take_bytes(p, (size_t)st.st_size, base, trust, out)) {
		munmap(p, (size_t)st.st_size);
		*out = (struct recent){ .map = NULL };
		return false;
	}
	out->map = p;
	out->size = (size_t)st.st_size;
	return true;
}

void
recent_close(struct recent *r)
{
	seg_close(r->seg);
	if (r->map != NULL)
		munmap(r->map, r->size);
	*r = (struct recent){ .map = NULL };
}

/* ---- writing ---- */

static int
by_number(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* What changed since base was built: ascending ids, each once. */
static enum err
read_ids(struct ctx *c, const struct seg *base, uint64_t **id, uint32_t *n, uint64_t *change)
{
	const char *v[2] = { arena_printf(c->a, "%llu", (unsigned long long)base->header->change), arena_printf(c->a, "%u", 4 * RECENT_MAX) };
	uint32_t kept = 0;
	PGresult *r;
	enum err e;

	if ((e = db_exec(c, &sql_search_changes, 2, v, &r)) != E_OK)
		return e;
	*id = arena_alloc(c->a, ((size_t)PQntuples(r) + 1) * sizeof(**id));
	*n = 0;
	for (int i = 0; i < PQntuples(r); i++)
		if (!PQgetisnull(r, i, 1))
			(*id)[(*n)++] = strtoull(PQgetvalue(r, i, 1), NULL, 10);
	*change = PQntuples(r) > 0 ? strtoull(PQgetvalue(r, 0, 2), NULL, 10) : 0;
	qsort(*id, *n, sizeof(**id), by_number);
	for (uint32_t i = 0; i < *n; i++)
		if (i == 0 || (*id)[i] != (*id)[kept - 1])
			(*id)[kept++] = (*id)[i];
	/* A full list may have an end that was cut off. */
	*n = *n < 4 * RECENT_MAX ? kept : RECENT_MAX + 1;
	return E_OK;
}

/* Rows of some products; their memory is given back at once. */
static enum err
feed_chunk(struct ctx *c, struct build *b, const uint64_t *id, uint32_t n)
{
	struct arena arena;
	struct ctx mine = *c;
	struct buf text;
	const char *ids;
	PGresult *rows;
	enum err e;

	arena_init(&arena, CHUNK_MEMORY);
	mine.a = &arena;
	buf_init(&text, &arena, 16 * CHUNK, 24 * CHUNK);
	for (uint32_t i = 0; i < n; i++)
		buf_printf(&text, "%c%llu", i == 0 ? '{' : ',', (unsigned long long)id[i]);
	buf_putc(&text, '}');
	ids = buf_str(&text);
	e = db_exec(&mine, &sql_index_some, 1, &ids, &rows);
	if (e == E_OK)
		e = indexer_feed(&mine, b, rows, ROW__MAX, build_product);
	arena_release(&arena);
	return e == E_OK ? E_OK : fail(c, e, "search index: recent changes cannot be read");
}

static bool
put_end(int fd, const struct seg *base, const uint64_t *id, uint32_t n)
{
	struct trailer t = { .magic = MAGIC, .version = VERSION, .n = n, .base_change = base->header->change,
		.base_built_ms = base->header->built_ms };
	struct stat st;
	size_t size = n * sizeof(*id);

	if (fstat(fd, &st) != 0)
		return false;
	t.seg_size = (uint64_t)st.st_size;
	t.checksum = checksum_of(id, t);
	return pwrite(fd, id, size, st.st_size) == (ssize_t)size && pwrite(fd, &t, sizeof(t), st.st_size + (off_t)size) == (ssize_t)sizeof(t);
}

static enum err
install(struct ctx *c, struct build *b, const char *path, const struct seg *base, const uint64_t *id, uint32_t n)
{
	char fresh[PATH_MAX];
	bool ok;
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.recent.new", path);
	if ((fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
		return fail(c, E_INTERNAL, "search index: cannot create %s: %s", fresh, strerror(errno));
	owner_as_folder(fd, fresh);
	ok = build_finish(b, fd) && put_end(fd, base, id, n) && fsync(fd) == 0;
	close(fd);
	if (ok && rename(fresh, recent_path(path)) == 0)
		return E_OK;
	unlink(fresh);
	return fail(c, E_INTERNAL, "search index: cannot write %s", fresh);
}

static enum err
build_of(struct ctx *c, const char *path, const struct seg *base, const uint64_t *id, uint32_t n, uint64_t change)
{
	const char *slash = strrchr(path, '/');
	struct build_options o = { .memory = BUILD_MEMORY, .like = base, .main_lang = indexer_lang(), .change = change,
		.dir = slash == NULL ? "." : slash == path ? "/" : arena_strndup(c->a, path, (size_t)(slash - path)) };
	struct build *b = build_new(&o);
	enum err e;

	if (b == NULL)
		return fail(c, E_INTERNAL, "search index: no memory");
	e = indexer_categories(c, b);
	for (uint32_t i = 0; e == E_OK && i < n; i += CHUNK)
		e = feed_chunk(c, b, id + i, n - i < CHUNK ? n - i : CHUNK);
	if (e == E_OK)
		e = install(c, b, path, base, id, n);
	build_free(b);
	return e;
}

enum err
recent_build(struct ctx *c, const char *path, const struct seg *base, uint32_t least, uint32_t *n)
{
	uint64_t *id = NULL, change = 0;

	if (read_ids(c, base, &id, n, &change))
		return c->err;
	return *n > RECENT_MAX || *n < least ? E_OK : build_of(c, path, base, id, *n, change);
}
