/*
 * Outgoing webhooks: the body of an event, signed as Stripe signs its own (docs/webhooks.md).
 *
 *   Souk-Signature: t=UNIX SECONDS,v1=HEX[,v1=HEX]
 *   v1 = HMAC-SHA256 of "t.body", the key is the endpoint's whole secret, "whsec_..."; the second one, of the secret before, for some time after a rotation
 *
 * A secret is not stored: it is derived from the endpoint's id and salt under a key of the installation's (TOKEN_PEPPER), so a copy of the database
 * signs nothing.  A rotation makes a new salt.
 */
#ifndef SOUK_NOTIFY_WEBHOOK_H
#define SOUK_NOTIFY_WEBHOOK_H

#include <stdint.h>

#include "core/ctx.h"

#define WEBHOOK_SECRET_MAX 64

/* The secret of an endpoint, NUL-terminated.  salt: 32 hexadecimal digits.  E_UNAVAILABLE without TOKEN_PEPPER. */
enum err webhook_secret(struct ctx *c, const char *id, const char *salt, char out[WEBHOOK_SECRET_MAX]) __attribute__((warn_unused_result));

/* The value of Souk-Signature, in c's arena.  previous: a second secret, or NULL. */
const char *webhook_sign(struct ctx *c, const char *secret, const char *previous, int64_t t, const char *body, size_t n);

#endif
