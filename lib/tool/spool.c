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
#include "core/random.h"
#include "gen/sql.h"
#include "ops/metrics.h"
#include "store/db.h"
#include "tool/record.h"

#define BATCH_BYTES (1u << 20)		/* one statement folds at most this much */
#define BATCH_LINES 500
#define FOLD_MEMORY_MAX (16u << 20)
#define DUE_RECORDS 128
#define DUE_MS 1000
#define IDLE_MS 100
#define FOLD_MS 2000
#define RETRY_MS 1000			/* after a failure, doubled up to RETRY_MAX_MS */
#define RETRY_MAX_MS 30000
#define ADOPT_MS 30000			/* how often to look for orphans */
#define ADOPT_FIRST_MS 1000		/* first look, so that a start is not delayed */
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
	int n = snprintf(out, outsz, "%s/spool", cfg_str("STATE_DIR"));

	if (n < 0 || (size_t)n >= outsz)
		return false;
	return mkdir(out, 0700) == 0 || errno == EEXIST;
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
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(unlocked, spool.path) != 0) {
		(void)unlink(unlocked);
		(void)close(fd);
		return false;
	}
	spool.fd = fd;
	return true;
}

static bool
spool_open(void)
{
	if (spool.fd > 0)
		return true;
	spool.size = spool.folded = 0;
	spool.waiting = 0;
	spool.in_memory = false;
	if (open_file())
		return true;
	log_event(LOG_WARN_, NULL, "no spool file: records are kept in memory", LOG_S("path", spool.path), LOG_S("error", strerror(errno)));
	spool.fd = memfd_create("souk-spool", MFD_CLOEXEC);
	spool.in_memory = true;
	return spool.fd > 0;
}

void
spool_append(const char *line, size_t n)
{
	ssize_t got;

	if (!spool_open())
		return;
	/* O_APPEND does not exist for memory files */
	got = spool.in_memory ? pwrite(spool.fd, line, n, spool.size) : write(spool.fd, line, n);
	if (got != (ssize_t)n) {
		/* disk full: leave no half line behind */
		if (got > 0 && ftruncate(spool.fd, spool.size) != 0)
			spool.size += got;
		metrics_count("souk_records_lost_total", NULL, NULL);
		return;
	}
	spool.size += (off_t)n;
	spool.last_ms = now_ms();
	if (spool.waiting++ == 0)
		spool.first_ms = spool.last_ms;
}

/* Complete lines of fd from offset on, joined to a JSON array; *lines and *bytes tell how far it goes. */
static const char *
read_batch(struct ctx *c, int fd, off_t offset, int max_lines, int *lines, size_t *bytes)
{
	char *p = arena_alloc(c->a, BATCH_BYTES + 2);
	ssize_t got = pread(fd, p + 1, BATCH_BYTES, offset);
	size_t n = got > 0 ? (size_t)got : 0, done = 0;

	*lines = 0;
	while (*lines < max_lines && done < n) {
		char *nl = memchr(p + 1 + done, '\n', n - done);

		if (nl == NULL)
			break;
		*nl = ',';
		done = (size_t)(nl - p);
		++*lines;
	}
	*bytes = done;
	p[0] = '[';
	p[done > 0 ? done : 1] = ']';
	p[done > 0 ? done + 1 : 2] = '\0';
	return p;
}

static enum err
insert(struct ctx *c, const char *array)
{
	const char *out;
	size_t n;

	return db_call(c, DB_WRITE, NULL, &sql_interactions_insert, 1, &array, &out, &n);
}

/* A batch that the database refuses for its content is folded line by line, so that one bad line costs only itself. */
static enum err
fold_singly(struct ctx *c, int fd, off_t offset, int lines)
{
	for (int i = 0; i < lines; i++) {
		const char *array;
		size_t bytes;
		int one;
		enum err e;

		ctx_clear_error(c);
		arena_reset(c->a);	/* each line takes room for a whole batch */
		array = read_batch(c, fd, offset, 1, &one, &bytes);
		e = insert(c, array);
		if (e != E_OK && e != E_INVALID)
			return e;
		if (e == E_INVALID) {
			log_event(LOG_ERROR_, c, "a record was refused by the database", LOG_I("offset", offset));
			metrics_count("souk_records_lost_total", NULL, NULL);
		}
		offset += (off_t)bytes;
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
		const char *array;
		size_t bytes;
		int lines;
		enum err e;

		arena_reset(&spool.arena);
		array = read_batch(&c, fd, *folded, BATCH_LINES, &lines, &bytes);
		if (lines == 0)
			return E_OK;
		if (now_ms() >= deadline_ms)
			return E_UNAVAILABLE;
		e = insert(&c, array);
		if (e == E_INVALID)
			e = fold_singly(&c, fd, *folded, lines);
		if (e != E_OK)
			return e;
		*folded += (off_t)bytes;
		*waiting -= lines;
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
	if (last && !spool.in_memory) {
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
