/*
 * Browsers that are logged in.  The cookie is `__Host-souk` (Secure, HttpOnly, SameSite=Lax, Path=/), or plain `souk` when souk is called over http under a
 * name of this machine (localhost, 127.0.0.1, [::1]); over http from elsewhere nobody can log in.  Its value is 256 random bits of which
 * the database holds a keyed hash.  A log-in ends after SESSION_IDLE_S without a request, after SESSION_S in any case, at log-out, with a new
 * password, and when the account is disabled.  It counts for pages alone: no API route looks at cookies.
 */
#ifndef SOUK_AUTH_LOGIN_H
#define SOUK_AUTH_LOGIN_H

#include "auth/token.h"
#include "web/req.h"

/*
 * Who is logged in: a customer, or staff with the scopes of their role.  E_UNAUTHENTICATED when nobody is (the error is not noted in r->c);
 * otherwise the store's errors.
 */
enum err login_current(struct req *r, struct subject *out) __attribute__((warn_unused_result));

/* Log in: a new session and its cookie, for one of both (the other NULL).  An older session of this browser ends.  E_FORBIDDEN over plain http. */
enum err login_begin(struct req *r, const char *staff_id, const char *customer_id) __attribute__((warn_unused_result));
/* Log out: session and cookie are gone. */
enum err login_end(struct req *r) __attribute__((warn_unused_result));

/*
 * Protection of forms against requests from other sites: a text for a hidden field, bound to this browser (its session's cookie, else one that is set now) and
 * to the purpose, good for an hour.  login_form_ok() wants that text, and refuses what the browser says comes from elsewhere
 * (Sec-Fetch-Site, Origin).  NULL without TOKEN_PEPPER.
 */
const char *login_form_token(struct req *r, const char *purpose);
bool login_form_ok(struct req *r, const char *purpose, const char *token);

/* May the browser be sent there after log-in?  Only to paths of our own: "/..." without host, control characters or backslashes. */
bool login_next_ok(const char *next);

/* May somebody log in this way: over https, or on this machine? */
bool login_transport_ok(struct req *r);

#endif
