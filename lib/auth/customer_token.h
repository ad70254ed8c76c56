/*
 * Tokens by which the shop's own site says who its visitor is, so that a customer who is logged in there need not log in again.  Two forms, the same keys and claims:
 *
 *   sct_<kid>.<base64url of the claims>.<base64url of HMAC-SHA-256 over everything before the last dot>
 *   a JWT (RFC 7519), HS256 or RS256, with kid in its header
 *
 *   sub  the customer's id, or instead   ref  the customer's number in the shop's system (customers.reference)
 *   aud  this service: CUSTOMER_TOKEN_AUDIENCE, else PUBLIC_URL, without both a loopback address under which it is called; a text, or a list
 *        that has it
 *   exp  Unix seconds, required, at most CUSTOMER_TOKEN_MAX_S from now;   nbf, iat  optional, not in the future
 *
 * Keys: CUSTOMER_TOKEN_KEYS, several while they are changed.  A key has one algorithm; what a token claims of itself decides nothing.
 */
#ifndef SOUK_AUTH_CUSTOMER_TOKEN_H
#define SOUK_AUTH_CUSTOMER_TOKEN_H

#include <stdbool.h>

#include "auth/subject.h"

/* Is it one of ours: sct_, or a JWT whose kid is one of CUSTOMER_TOKEN_KEYS? */
bool customer_token_is(struct ctx *c, const char *text);

/* E_UNAUTHENTICATED for anything wrong, also for a customer who is not there or was erased; E_UNAVAILABLE. */
enum err customer_token_resolve(struct ctx *c, const struct bearer *b, struct subject *out) __attribute__((warn_unused_result));

#endif
