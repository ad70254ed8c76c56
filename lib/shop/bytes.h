/*
 * A stream of bytes from a file, standard input or memory, for the importers: gzip is taken off, progress is known, and the first
 * bytes can be looked at before anything is taken.  Memory is constant (about 260 KiB).
 *
 * bytes_open_* never fail visibly: an error shows as -1 from the next bytes_peek() or bytes_next() with text in why.
 */
#ifndef SOUK_SHOP_BYTES_H
#define SOUK_SHOP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BYTES_CHUNK 65536u	/* most that bytes_peek() and bytes_next() give at a time */

struct bytes;

/* path "-" is standard input.  bytes_open_mem keeps a reference to p until bytes_close(). */
struct bytes *bytes_open(const char *path);
struct bytes *bytes_open_mem(const void *p, size_t n);
void bytes_close(struct bytes *b);

/*
 * Look at up to n (at most BYTES_CHUNK) bytes without taking them: *p points to them until the next call.  Gives the number
 * available (less than n only at the end), or -1.  Reads gzip through its header, so these are the contents.
 */
ssize_t bytes_peek(struct bytes *b, size_t n, const unsigned char **p);

/* Take what comes next, at least one byte.  0 at the end, -1 on error. */
ssize_t bytes_next(struct bytes *b, const unsigned char **p);

/* Copy all that is left to the descriptor, at most max bytes.  Bytes copied, or -1 (too large, write error: see why). */
int64_t bytes_spool(struct bytes *b, int fd, int64_t max);

/* Public-safe text of the error after -1. */
const char *bytes_why(const struct bytes *b);

bool bytes_gzip(const struct bytes *b);		/* was gzip found? (after the first peek) */
int64_t bytes_taken(const struct bytes *b);	/* bytes of the file read so far (compressed ones for gzip) */
int64_t bytes_total(const struct bytes *b);	/* size of the file, -1 when unknown */

/* The regular, not compressed file behind the stream, for readers that seek; -1 when it is none. */
int bytes_fd(const struct bytes *b);

#endif
