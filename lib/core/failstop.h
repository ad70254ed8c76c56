/*
 * Stopping the process when going on would be wrong: no memory left, or a bug in our own code.  The web server starts a
 * new process, and idempotent clients repeat (reference: json-c drops members silently when an allocation fails).
 *
 * failstop.c also defines malloc, calloc, realloc and their relatives for the whole program, libraries included: NULL for a non-zero
 * size becomes failstop("out of memory").  They forward to glibc's __libc_malloc family.  -DSOUK_NO_FAILSTOP leaves them
 * out, for sanitizer builds, which bring their own.  arena.c and config.c call failstop(), so the archive member is linked into
 * every program that uses the library.
 */
#ifndef SOUK_CORE_FAILSTOP_H
#define SOUK_CORE_FAILSTOP_H

#define FAILSTOP_STATUS 70	/* EX_SOFTWARE */

/* Write one log line with the reason (plain ASCII, no quotes) to standard error and _exit(70).  Allocates nothing. */
_Noreturn void failstop(const char *why);

#endif
