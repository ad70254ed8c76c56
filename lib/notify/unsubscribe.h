/*
 * The page behind List-Unsubscribe (RFC 2369, RFC 8058).  Its URL names one message by a signed handle ("uns"), so that nobody can take others off.
 * GET asks, POST does it: programs that look at links change nothing.  Good as long as the message is kept (90 days).
 */
#ifndef SOUK_NOTIFY_UNSUBSCRIBE_H
#define SOUK_NOTIFY_UNSUBSCRIBE_H

#include "core/ctx.h"

struct req;

enum err unsubscribe_ask(struct req *r);	/* GET /unsubscribe/{handle} */
enum err unsubscribe_do(struct req *r);		/* POST /unsubscribe/{handle} */

/* The page's URL for a message, in c's arena; "" when PUBLIC_URL or TOKEN_PEPPER is not set. */
const char *unsubscribe_url(struct ctx *c, const char *id);

#endif
