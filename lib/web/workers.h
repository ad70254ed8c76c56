/*
 * Preforked workers.  The parent loads everything once, so that the workers share its pages, then only watches: a worker that ended is
 * replaced at once (after a second when it lived for less than one).  SIGTERM to the parent stops all; workers end with their parent.
 */
#ifndef SOUK_WEB_WORKERS_H
#define SOUK_WEB_WORKERS_H

/* Run work(sock) in n processes until SIGTERM.  Returns the parent's exit status. */
int workers_run(int sock, int n, int (*work)(int sock));

#endif
