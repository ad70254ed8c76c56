/*
 * The life of a program: start (configuration, log, shared memory, tables checked), then the FastCGI loop with preforked workers, or one
 * plain CGI request.  main() in main.c is a list of refusals followed by app_serve().
 */
#ifndef SOUK_WEB_APP_H
#define SOUK_WEB_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

/* Configuration, log, shared memory, tool table.  program is the name in the log.  false: err has one line. */
bool app_start(const char *program, const char *conf, char *err, size_t errsz);

/* Serve the listening socket sock with the configured number of workers until SIGTERM.  Returns the exit status. */
int app_serve(int sock, int workers);

/* Serve one plain CGI request.  Returns the exit status. */
int app_cgi(void);

/* Work between requests: fold records that are due, close idle connections. */
void app_tick(void);

/* Serve one request on k: the fixed order around every handler (request.c). */
void app_request(struct conn *k);

/* Stop cleanly: records are folded, connections closed. */
void app_stop(void);

#endif
