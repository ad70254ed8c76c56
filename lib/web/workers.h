/*
 * Preforked workers.  The parent loads everything once, so that the workers share its pages, then only watches: a worker that ended is
 * replaced at once (after a second when it lived for less than one).  SIGTERM to the parent stops all.
 *
 * When the parent is killed, the workers finish their requests; the first to be free takes its place on the same socket, with workers of its
 * own, and the others end.  When all are killed, the guard does (a process called souk-guard that sleeps), on a new socket at the same path, as
 * soon as nobody has listened there for a second.  Web servers do not mend this: lighttpd connects when its program has died, and if some worker
 * still holds the socket takes it for another's for good; a pool of --listen is nobody's child.  Such a pool ends by itself with the web server
 * that had started it (known by descriptor 0 being the socket), and when its socket's path is gone or leads to another socket.
 */
#ifndef SOUK_WEB_WORKERS_H
#define SOUK_WEB_WORKERS_H

#include <stdbool.h>

/* Run work(sock) in n processes until SIGTERM.  Returns the parent's exit status. */
int workers_run(int sock, int n, int (*work)(int sock));

/* In a worker: has its parent gone?  Then it has to return from work() when its request is done.  Costs one system call. */
bool workers_orphaned(void);

#endif
