/* Appending, folding and adopting spools; see record.h. */
#include "tool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "core/owner.h"
#include "core/random.h"
#include "gen/sql.h"
#include "ops/metrics.h"
#include "store/db.h"
#include "tool/record.h"

#define BATCH_BYTES (1u << 20)		/* one statement folds at most this much */
#define BATCH_LINES 500
#define FOLD_MEMORY_MAX (16u << 20)
#define DUE_RECORDS 250
#define DUE_MS 1000
#define IDLE_MS 100
#define FOLD_MS 2000
#define RETRY_MS 1000			/* after a failure, doubled up to RETRY_MAX_MS */
#define RETRY_MAX_MS 30000
#define ADOPT_MS 30000			/* how often to look for orphans */
#define ADOPT_FIRST_MS 1000		/* first look, so that a start is not delayed */
#define MEMORY_MAX (8 << 20)		/* bytes of lines that are kept without a file */
#define SAY_AGAIN_MS 60000		/* how often the log says that there is no file */
#define PATH_SZ 512

static struct {
	int fd;			/* 0: not open (descriptor 0 is never ours) */
	bool in_memory;
	char path[PATH_SZ];
	off_t size, folded;	/* bytes written, bytes already in the database */
	int waiting;		/* records between the two */
	int64_t first_ms, last_ms;	/* when the oldest and the newest of them came */
	int64_t retry_ms;	/* not before this time; 0: no failure */
	int backoff_ms;
	int64_t adopt_ms;	/* next look for orphans */
	struct arena arena;
} spool;

static bool
spool_dir(char *out, size_t outsz)
{
	int n = snprintf(out, outsz, "%s/spool", cfg_str("STATE_DIR")), fd;

	if (n < 0 || (size_t)n >= outsz)
		return false;
	if (mkdir(out, 0700) != 0)
		return errno == EEXIST;
	fd = open(out, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	owner_as_folder(fd, out);
	if (fd >= 0)
		(void)close(fd);
	return true;
}

/* Our own file, locked, so that others see that its process lives.  It gets its name after its lock, or it could be taken for an orphan. */
static bool
open_file(void)
{
	char dir[PATH_SZ - 64], random[13], unlocked[PATH_SZ];
	int fd;

	if (!spool_dir(dir, sizeof(dir)))
		return false;
	random_base62(random, 12);
	(void)snprintf(spool.path, sizeof(spool.path), "%s/%ld-%s.spool", dir, (long)getpid(), random);
	(void)snprintf(unlocked, sizeof(unlocked), "%s/%ld-%s.new", dir, (long)getpid(), random);
	fd = open(unlocked, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	owner_as_folder(fd, unlocked);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(unlocked, spool.path) != 0) {
		(void)unlink(unlocked);
		(void)close(fd);
		return false;
	}
	spool.fd = fd;
	return true;
}

/* In place of a file that cannot be had, or cannot be written: lines that end with the process. */
static bool
open_memory(int why)
{
	static int64_t said_ms;

	if (said_ms == 0 || now_ms() - said_ms > SAY_AGAIN_MS) {
		said_ms = now_ms();
		log_event(LOG_WARN_, NULL, "no spool file: records are kept in memory", LOG_S("path", spool.path), LOG_S("error", strerror(why)));
	}
	spool.size = spool.folded = 0;
	spool.waiting = 0;
	spool.fd = memfd_create("souk-spool", MFD_CLOEXEC);
	spool.in_memory = true;
	return spool.fd > 0;
}

static bool
spool_open(void)
{
	if (spool.fd > 0)
		return true;
	spool.size = spool.folded = 0;
	spool.waiting = 0;
	spool.in_memory = false;
	return open_file() || open_memory(errno);
}

/* All of the line or nothing of it; errno says why not. */
static bool
write_line(const char *line, size_t n)
{
	ssize_t got;

	if (spool.in_memory && spool.size > MEMORY_MAX)
		return false;
	/* O_APPEND does not exist for memory files */
	got = spool.in_memory ? pwrite(spool.fd, line, n, spool.size) : write(spool.fd, line, n);

	if (got == (ssize_t)n || (got > 0 && ftruncate(spool.fd, spool.size) != 0))
		spool.size += got;
	if (got >= 0 && got < (ssize_t)n)
		errno = ENOSPC;
	return got == (ssize_t)n;
}

/* The disk is full: go on in memory.  What waits in the file is left for the next look at orphans, which has no need to write. */
static bool
leave_file(int why)
{
	if (spool.in_memory)
		return false;
	if (spool.waiting == 0)
		(void)unlink(spool.path);
	else
		spool.adopt_ms = now_ms();
	(void)close(spool.fd);
	return open_memory(why);
}

void
spool_append(const char *line, size_t n)
{
	if (!spool_open() || (!write_line(line, n) && (!leave_file(errno) || !write_line(line, n)))) {
		metrics_count("souk_records_lost_total", NULL, NULL);
		return;
	}
	spool.last_ms = now_ms();
	if (spool.waiting++ == 0)
		spool.first_ms = spool.last_ms;
}

/* Lines of a spool, turned into columns. */
struct batch {
	const char *columns[RECORD_FIELDS];	/* array literals */
	int lines, bad;		/* lines in the columns, and lines that are no record */
	size_t bytes;		/* of all of them */
};

/* Note where the fields of p[n], a line, end.  False: it has not as many as it must. */
static bool
find_fields(const char *p, size_t n, uint32_t *ends)
{
	size_t at = 0;

	for (int i = 0; i < RECORD_FIELDS; i++) {
		const char *tab = at <= n ? memchr(p + at, '\t', n - at) : NULL;

		if ((tab == NULL) != (i == RECORD_FIELDS - 1))
			return false;
		ends[i] = (uint32_t)(tab != NULL ? (size_t)(tab - p) : n);
		at = ends[i] + 1u;
	}
	return true;
}

/* "{a,b,c}" of field i of all lines. */
static const char *
join_column(struct ctx *c, int i, int lines, const char *const *line, const uint32_t (*ends)[RECORD_FIELDS])
{
	size_t total = 3;
	char *out, *to;

	for (int k = 0; k < lines; k++)
		total += ends[k][i] - (i > 0 ? ends[k][i - 1] + 1u : 0) + 1;
	to = out = arena_alloc(c->a, total);
	*to++ = '{';
	for (int k = 0; k < lines; k++) {
		size_t from = i > 0 ? ends[k][i - 1] + 1u : 0, n = ends[k][i] - from;

		memcpy(to, line[k] + from, n);
		to += n;
		*to++ = ',';
	}
	to -= lines > 0;
	*to++ = '}';
	*to = '\0';
	return out;
}

/* At most max_lines complete lines of fd from offset on. */
static void
read_batch(struct ctx *c, int fd, off_t offset, int max_lines, struct batch *out)
{
	struct stat st;
	size_t room = fstat(fd, &st) == 0 && st.st_size > offset ? (size_t)(st.st_size - offset) : 0, n, start;
	char *p = arena_alloc(c->a, room < BATCH_BYTES ? room : BATCH_BYTES);
	ssize_t got = pread(fd, p, room < BATCH_BYTES ? room : BATCH_BYTES, offset);
	uint32_t (*ends)[RECORD_FIELDS] = arena_alloc(c->a, (size_t)max_lines * sizeof(*ends));
	const char **line = arena_alloc(c->a, (size_t)max_lines * sizeof(*line)), *nl;

	*out = (struct batch){ .bytes = 0 };
	n = got > 0 ? (size_t)got : 0;
	while (out->lines + out->bad < max_lines && (nl = memchr(p + out->bytes, '\n', n - out->bytes)) != NULL) {
		start = out->bytes;
		out->bytes = (size_t)(nl - p) + 1;
		line[out->lines] = p + start;
		if (find_fields(p + start, out->bytes - start - 1, ends[out->lines]))
			out->lines++;
		else
			out->bad++;
	}
	for (int i = 0; i < RECORD_FIELDS && out->lines > 0; i++)
		out->columns[i] = join_column(c, i, out->lines, line, (const uint32_t (*)[RECORD_FIELDS])ends);
}

static void
lost(const struct ctx *c, off_t offset)
{
	log_event(LOG_ERROR_, c, "a record was refused by the database", LOG_I("offset", offset));
	metrics_count("souk_records_lost_total", NULL, NULL);
}

/* Looking for each row whether it is there costs a quarter of the fold, so that is done only when one of them is. */
static enum err
insert(struct ctx *c, const struct batch *b, off_t offset)
{
	const char *out;
	size_t n;
	enum err e = E_OK;

	if (b->lines > 0)
		e = db_call(c, DB_WRITE, NULL, &sql_interactions_insert, RECORD_FIELDS, b->columns, &out, &n);
	if (e == E_CONFLICT) {
		ctx_clear_error(c);
		e = db_call(c, DB_WRITE, NULL, &sql_interactions_insert_new, RECORD_FIELDS, b->columns, &out, &n);
	}
	for (int i = 0; i < b->bad && (e == E_OK || e == E_INVALID); i++)
		lost(c, offset);
	return e;
}

/* A batch that the database refuses for its content is folded line by line, so that one bad line costs only itself. */
static enum err
fold_singly(struct ctx *c, int fd, off_t offset, int lines)
{
	for (int i = 0; i < lines; i++) {
		struct batch one;
		enum err e;

		ctx_clear_error(c);
		arena_reset(c->a);	/* each line takes room for a whole batch */
		read_batch(c, fd, offset, 1, &one);
		e = one.bad > 0 ? E_OK : insert(c, &one, offset);	/* told already */
		if (e != E_OK && e != E_INVALID)
			return e;
		if (e == E_INVALID)
			lost(c, offset);
		offset += (off_t)one.bytes;
	}
	ctx_clear_error(c);
	return E_OK;
}

/*
 * Fold fd from *folded to its end.  Returns E_OK when nothing is left, or what stopped it.  A line longer than a batch, or an unfinished one at the
 * end of an orphan (its process was killed inside a write), is left out.
 */
static enum err
fold(int fd, off_t *folded, int *waiting, int64_t deadline_ms)
{
	for (;;) {
		struct ctx c = { .a = &spool.arena, .deadline_ms = deadline_ms, .id = "records-" };
		struct batch b;
		enum err e;

		arena_reset(&spool.arena);
		read_batch(&c, fd, *folded, BATCH_LINES, &b);
		if (b.bytes == 0)
			return E_OK;
		if (now_ms() >= deadline_ms)
			return E_UNAVAILABLE;
		e = insert(&c, &b, *folded);
		if (e == E_INVALID)
			e = fold_singly(&c, fd, *folded, b.lines + b.bad);
		if (e != E_OK)
			return e;
		*folded += (off_t)b.bytes;
		*waiting -= b.lines + b.bad;
	}
}

/* last: the file is not needed any more when it is empty. */
static void
fold_own(int64_t deadline_ms, bool last)
{
	enum err e;

	if (spool.fd <= 0)
		return;
	e = fold(spool.fd, &spool.folded, &spool.waiting, deadline_ms);
	if (e != E_OK) {
		spool.backoff_ms = spool.backoff_ms == 0 ? RETRY_MS : spool.backoff_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : spool.backoff_ms * 2;
		spool.retry_ms = now_ms() + spool.backoff_ms;
		return;
	}
	spool.backoff_ms = 0;
	spool.retry_ms = 0;
	spool.waiting = 0;
	if (last || spool.in_memory) {
		/* out of memory again: perhaps the next record can go to a file */
		if (!spool.in_memory)
			(void)unlink(spool.path);
		(void)close(spool.fd);
		spool.fd = 0;
		return;
	}
	if (ftruncate(spool.fd, 0) == 0)
		spool.size = spool.folded = 0;
	else
		spool.folded = spool.size;
}

/* Fold and remove the file of a process that is gone; one that is locked has a living owner. */
static void
adopt_file(int dirfd, const char *name, int64_t deadline_ms)
{
	int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW), waiting = 0;
	off_t folded = 0;

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fold(fd, &folded, &waiting, deadline_ms) == E_OK)
		(void)unlinkat(dirfd, name, 0);
	(void)close(fd);
}

static void
adopt(int64_t deadline_ms)
{
	char path[PATH_SZ - 64];
	struct dirent *e;
	DIR *d;

	spool.adopt_ms = now_ms() + ADOPT_MS;
	if (!spool_dir(path, sizeof(path)) || (d = opendir(path)) == NULL)
		return;
	while (now_ms() < deadline_ms && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (n > 6 && strcmp(e->d_name + n - 6, ".spool") == 0)
			adopt_file(dirfd(d), e->d_name, deadline_ms);
	}
	(void)closedir(d);
}

int
record_due_ms(void)
{
	int64_t now, due;

	if (spool.fd <= 0 || spool.waiting == 0)
		return -1;
	now = now_ms();
	due = spool.last_ms + IDLE_MS < spool.first_ms + DUE_MS ? spool.last_ms + IDLE_MS : spool.first_ms + DUE_MS;
	if (spool.waiting >= DUE_RECORDS)
		due = now;
	if (due < spool.retry_ms)
		due = spool.retry_ms;
	return due > now ? (int)(due - now) : 0;
}

void
record_flush(bool force)
{
	int64_t now = now_ms(), deadline_ms = now + FOLD_MS;
	bool look;

	if (spool.adopt_ms == 0)
		spool.adopt_ms = now + ADOPT_FIRST_MS;
	look = force || now >= spool.adopt_ms;
	if (!look && record_due_ms() != 0)
		return;
	if (spool.arena.max == 0)
		arena_init(&spool.arena, FOLD_MEMORY_MAX);
	if (force || record_due_ms() == 0)
		fold_own(deadline_ms, force);
	if (look && spool.retry_ms == 0)
		adopt(deadline_ms);
	arena_reset(&spool.arena);
}

void
record_forget(void)
{
	if (spool.fd > 0)
		(void)close(spool.fd);
	spool.fd = 0;
	spool.waiting = 0;
	spool.size = spool.folded = 0;
	spool.retry_ms = 0;
	spool.backoff_ms = 0;
	record_new_ids();
}
