#include "shop/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct bytes {
	int fd;			/* -1: memory */
	bool regular;
	const unsigned char *mem;
	size_t memsz;
	int64_t taken, total;
	bool eof;		/* the descriptor is exhausted */
	bool started, gzip, member_end;
	z_stream z;
	unsigned char in[BYTES_CHUNK];		/* compressed bytes */
	unsigned char out[2 * BYTES_CHUNK];	/* what was read and not yet taken: pos..len */
	size_t pos, len;
	char why[160];
};

static struct bytes *
bytes_new(int fd, const void *p, size_t n)
{
	struct bytes *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->fd = fd;
	b->mem = p;
	b->memsz = n;
	b->total = p != NULL ? (int64_t)n : -1;
	return b;
}

struct bytes *
bytes_open(const char *path)
{
	struct bytes *b;
	struct stat st;
	int fd;

	fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if ((b = bytes_new(fd, NULL, 0)) == NULL)
		return NULL;
	if (fd < 0 || fstat(fd, &st) != 0) {
		snprintf(b->why, sizeof(b->why), "cannot be opened: %s", strerror(errno));
		return b;
	}
	if (S_ISDIR(st.st_mode))
		snprintf(b->why, sizeof(b->why), "is a directory");
	if (S_ISREG(st.st_mode)) {
		b->total = (int64_t)st.st_size;
		b->regular = lseek(fd, 0, SEEK_CUR) == 0;
	}
	return b;
}

struct bytes *
bytes_open_mem(const void *p, size_t n)
{
	return bytes_new(-1, p, n);
}

void
bytes_close(struct bytes *b)
{
	if (b == NULL)
		return;
	if (b->gzip)
		inflateEnd(&b->z);
	if (b->fd >= 0)
		close(b->fd);
	free(b);
}

/* Read raw bytes of the file.  0 at the end, -1 on error. */
static ssize_t
raw_read(struct bytes *b, unsigned char *to, size_t room)
{
	ssize_t n;

	if (b->mem != NULL) {
		n = (ssize_t)(room < b->memsz ? room : b->memsz);
		memcpy(to, b->mem, (size_t)n);
		b->mem += n;
		b->memsz -= (size_t)n;
	} else {
		if (b->fd < 0)
			return b->why[0] != '\0' ? -1 : 0;
		while ((n = read(b->fd, to, room)) < 0 && errno == EINTR)
			;
		if (n < 0) {
			snprintf(b->why, sizeof(b->why), "cannot be read: %s", strerror(errno));
			return -1;
		}
	}
	if (n == 0)
		b->eof = true;
	b->taken += n;
	return n;
}

static int
gzip_fail(struct bytes *b, const char *why)
{
	snprintf(b->why, sizeof(b->why), "%s", why);
	return -1;
}

/* Inflate into out; members may follow each other (RFC 1952).  1: progress, 0: end, -1: error. */
static int
gzip_fill(struct bytes *b)
{
	size_t room = sizeof(b->out) - b->len;
	ssize_t n;
	int rc;

	for (;;) {
		if (b->z.avail_in == 0 && !b->eof) {
			if ((n = raw_read(b, b->in, sizeof(b->in))) < 0)
				return -1;
			b->z.next_in = b->in;
			b->z.avail_in = (uInt)n;
		}
		if (b->member_end) {
			/* Some writers pad the last member with zero bytes. */
			while (b->z.avail_in > 0 && *b->z.next_in == 0) {
				b->z.next_in++;
				b->z.avail_in--;
			}
			if (b->z.avail_in == 0) {
				if (b->eof)
					return 0;
				continue;
			}
			if (inflateReset(&b->z) != Z_OK)
				return gzip_fail(b, "gzip data cannot be unpacked");
			b->member_end = false;
		}
		b->z.next_out = b->out + b->len;
		b->z.avail_out = (uInt)room;
		rc = inflate(&b->z, Z_NO_FLUSH);
		b->len = sizeof(b->out) - b->z.avail_out;
		if (rc == Z_STREAM_END)
			b->member_end = true;
		else if (rc == Z_BUF_ERROR && b->eof)
			return gzip_fail(b, "gzip data ends in the middle: the file was cut off");
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return gzip_fail(b, "gzip data is damaged");
		if (b->z.avail_out < room)
			return 1;
		if (b->z.avail_in == 0 && b->eof && !b->member_end)
			return gzip_fail(b, "gzip data ends in the middle: the file was cut off");
	}
}

/* On the first read: gzip or not?  1: go on, -1: error. */
static int
start(struct bytes *b)
{
	ssize_t n = 0;
	size_t have = 0;

	b->started = true;
	while (have < 2 && !b->eof) {
		if ((n = raw_read(b, b->in + have, sizeof(b->in) - have)) < 0)
			return -1;
		have += (size_t)n;
	}
	if (have >= 2 && b->in[0] == 0x1f && b->in[1] == 0x8b) {
		if (inflateInit2(&b->z, 15 + 16) != Z_OK)
			return gzip_fail(b, "gzip data cannot be unpacked");
		b->gzip = true;
		b->z.next_in = b->in;
		b->z.avail_in = (uInt)have;
		return 1;
	}
	memcpy(b->out, b->in, have);
	b->len = have;
	return 1;
}

/* Get more bytes behind out[len].  1: some came, 0: end, -1: error. */
static int
fill(struct bytes *b)
{
	ssize_t n;

	if (b->why[0] != '\0')
		return -1;
	if (!b->started) {
		if (start(b) < 0)
			return -1;
		if (b->len > 0)
			return 1;
	}
	if (b->pos > 0) {
		memmove(b->out, b->out + b->pos, b->len - b->pos);
		b->len -= b->pos;
		b->pos = 0;
	}
	if (b->len == sizeof(b->out))
		return 1;
	if (b->gzip)
		return gzip_fill(b);
	if (b->eof)
		return 0;
	if ((n = raw_read(b, b->out + b->len, sizeof(b->out) - b->len)) < 0)
		return -1;
	b->len += (size_t)n;
	return n > 0;
}

ssize_t
bytes_peek(struct bytes *b, size_t n, const unsigned char **p)
{
	int rc = 1;

	if (n > BYTES_CHUNK)
		n = BYTES_CHUNK;
	while (b->len - b->pos < n && (rc = fill(b)) > 0)
		;
	*p = b->out + b->pos;
	if (rc < 0 && b->len == b->pos)
		return -1;
	return (ssize_t)(b->len - b->pos < n ? b->len - b->pos : n);
}

ssize_t
bytes_next(struct bytes *b, const unsigned char **p)
{
	ssize_t n;
	int rc;

	if (b->len == b->pos && (rc = fill(b)) <= 0)
		return rc;
	n = (ssize_t)(b->len - b->pos < BYTES_CHUNK ? b->len - b->pos : BYTES_CHUNK);
	*p = b->out + b->pos;
	b->pos += (size_t)n;
	return n;
}

int64_t
bytes_spool(struct bytes *b, int fd, int64_t max)
{
	const unsigned char *p;
	int64_t sum = 0;
	ssize_t n, w, done;

	while ((n = bytes_next(b, &p)) > 0) {
		if ((sum += n) > max) {
			snprintf(b->why, sizeof(b->why), "is larger than %lld MiB", (long long)(max >> 20));
			return -1;
		}
		for (done = 0; done < n; done += w) {
			if ((w = write(fd, p + done, (size_t)(n - done))) < 0) {
				snprintf(b->why, sizeof(b->why), "temporary file: %s", strerror(errno));
				return -1;
			}
		}
	}
	return n < 0 ? -1 : sum;
}

const char *
bytes_why(const struct bytes *b)
{
	return b->why;
}

bool
bytes_gzip(const struct bytes *b)
{
	return b->gzip;
}

int64_t
bytes_taken(const struct bytes *b)
{
	return b->taken;
}

int64_t
bytes_total(const struct bytes *b)
{
	return b->total;
}

int
bytes_fd(const struct bytes *b)
{
	return b->regular && !b->gzip ? b->fd : -1;
}
