/*
 * The wire under a request: a FastCGI connection, or plain CGI (environment, standard input and output).  Everything above is the same
 * for both, so valgrind, fuzzers and hosts without FastCGI run the code that a FastCGI worker runs.
 */
#ifndef SOUK_WEB_CONN_H
#define SOUK_WEB_CONN_H

#include <stdbool.h>
#include <stddef.h>

struct conn;

/* The kind of descriptor 0: a listening FastCGI socket (true) or plain CGI. */
bool conn_is_fastcgi(void);

/* Prepare to accept on a listening socket (0 for inherited).  Call in the process that serves, after any fork. */
bool conn_open(int sock);

enum conn_event { CONN_REQUEST, CONN_TICK, CONN_STOP };

#define CONN_TICK_MS 100	/* how long an idle worker waits before it looks around */

/* Wait at most CONN_TICK_MS for the next request.  CONN_TICK: none came; CONN_STOP: SIGTERM, or the socket or the parent is gone. */
enum conn_event conn_accept(struct conn **out);

/* The one request of a plain CGI process. */
struct conn *conn_cgi(void);

/* A CGI variable or NULL. */
const char *conn_env(const struct conn *k, const char *name);

/* Read up to n bytes of the body; 0 at its end. */
size_t conn_read(struct conn *k, char *p, size_t n);

/* Write; false when the peer is gone. */
bool conn_write(struct conn *k, const char *p, size_t n);
bool conn_flush(struct conn *k);

/* Has the peer hung up (where the server tells, lighttpd and nginx)?  Does not block. */
bool conn_gone(const struct conn *k);

/* Has this process been asked to end?  For requests that would go on for long. */
bool conn_stopping(void);

/* Finish the request; the rest of the response is sent. */
void conn_finish(struct conn *k);

#endif
