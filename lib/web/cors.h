/*
 * Origin, Host and cross-origin headers.  Allowed origins: the service's own (PUBLIC_URL or Host), those of CORS_ORIGINS (comma separated,
 * "*" for any), and loopback origins when the request itself came to a loopback address.  No cookies are read, so no credentials mode.
 */
#ifndef SOUK_WEB_CORS_H
#define SOUK_WEB_CORS_H

#include <stdbool.h>

#include "web/req.h"

/* May a page of this origin ("https://shop.example", scheme and host, optional port) call us?  "null" only when configured. */
bool cors_origin_allowed(struct req *r, const char *origin);

/* Is the Host header one of ours?  ALLOWED_HOSTS, PUBLIC_URL's host, or, when we were reached on a loopback address, localhost,
   127.0.0.1 and [::1] with any port.  True when nothing is configured and the address is not loopback. */
bool cors_host_allowed(struct req *r);

/* Is it localhost, 127.0.0.1 or [::1], with or without a port? */
bool host_is_loopback(const char *host);
/* The same two questions without a request: loopback says whether it came in on a loopback address.  host may be NULL. */
bool host_allowed(const char *host, bool loopback);
bool origin_allowed(const char *origin, const char *host, bool loopback);

/* Set Access-Control-* for an allowed Origin, and Vary; called for every response. */
void cors_headers(struct req *r);

/* Answer a preflight OPTIONS with 204 (or 403); allow is the comma-separated list of the path's methods. */
enum err cors_preflight(struct req *r, const char *allow);

#endif
