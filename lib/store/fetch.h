/*
 * HTTP requests to other services: providers, webhook endpoints, models.  libcurl, one request at a time, connections kept between requests.
 *
 * Every request has a deadline (the context's, or its own if that is sooner), a cap on what it takes in, and verified TLS.  A circuit breaker per
 * host and port, in shared memory, answers at once while the host is known to be down.  No proxy is taken from the environment, and no redirect is
 * followed unless the request says so.
 *
 * Plain http reaches loopback addresses and the networks of OUTGOING_PRIVATE only.  A request with public_only, for every URL that somebody other
 * than the owner may have written, reaches nothing else inside: https, a port of OUTGOING_PORTS, no user part, and an address that is public (or in
 * OUTGOING_PRIVATE).  The check is made on the address that is about to be connected, after resolution, and for each one that is tried: a name
 * that changes its answer, an odd spelling or a redirect gains nothing.
 *
 * Settings: OUTGOING_PRIVATE, OUTGOING_PORTS, OUTGOING_CA_FILE, OUTGOING_RESOLVE.
 */
#ifndef SOUK_STORE_FETCH_H
#define SOUK_STORE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"

#define FETCH_BODY_MAX ((size_t)1 << 20)	/* of an answer, unless the request says otherwise */
#define FETCH_HEAD_MAX ((size_t)64 << 10)	/* of its headers */

struct fetch_header {
	const char *name;	/* NULL ends the list */
	const char *value;	/* no control characters; such a request is refused */
};

struct fetch_request {
	const char *method;		/* NULL: POST with a body, else GET */
	const char *url;
	const struct fetch_header *headers;	/* or NULL */
	const char *body;		/* NULL: none */
	size_t bodysz;
	const char *user, *password;	/* basic authentication; NULL: none */
	int timeout_ms;			/* 0: what is left of the context's time */
	size_t body_max;		/* 0: FETCH_BODY_MAX; more than this fails the request */
	int redirects;			/* how many to follow */
	bool public_only;
};

enum fetch_fault {
	FETCH_ANSWERED,		/* there is an HTTP answer, whatever its status */
	FETCH_REFUSED,		/* the URL or its address is not allowed: asking again will not help */
	FETCH_HELD_BACK,	/* by the circuit breaker: nothing was sent */
	FETCH_UNREACHABLE,	/* no such host, no connection, no valid certificate: nothing was sent */
	FETCH_TOO_LARGE,	/* the answer was, and was dropped */
	FETCH_LOST		/* cut off, reset, too slow: the other side may have done what was asked */
};

struct fetch_reply {
	enum fetch_fault fault;
	int status;		/* HTTP status, 0 without an answer */
	const char *body;	/* NUL-terminated, in the arena; "" when empty */
	size_t n;
	const char *head;	/* the answer's header lines, for fetch_header() */
	int retry_after_s;	/* from Retry-After, seconds or date; 0: none */
	int took_ms;
	const char *why;	/* what went wrong, without URL or secrets; NULL when there is an answer */
};

/*
 * Make the request.  E_OK when an answer came (see reply->status); E_INVALID for FETCH_REFUSED; E_UNAVAILABLE for the rest.  reply is filled in
 * every case; the error is noted in c with reply->why.
 */
enum err fetch(struct ctx *c, const struct fetch_request *req, struct fetch_reply *reply) __attribute__((warn_unused_result));

/* The value of the last header line of that name, in c's arena; NULL when there is none. */
const char *fetch_header(struct ctx *c, const struct fetch_reply *reply, const char *name);

/* Could this URL be fetched with public_only, as far as its text tells?  NULL: yes; else why not. */
const char *fetch_url_fault(const char *url, bool public_only);

/* text in application/x-www-form-urlencoded form, in c's arena. */
const char *fetch_escape(struct ctx *c, const char *text);

/* After fork(): forget the parent's connections. */
void fetch_forget(void);

#endif
