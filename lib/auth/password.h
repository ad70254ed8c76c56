/*
 * Passwords of people: argon2id (RFC 9106) by libsodium, in its own text form, which holds salt and costs.  Costs are PASSWORD_MEMORY_MB and
 * PASSWORD_ROUNDS; the default, 19 MiB twice, is OWASP's least and fits shared hosting: each log-in takes that memory while it is checked.
 */
#ifndef SOUK_AUTH_PASSWORD_H
#define SOUK_AUTH_PASSWORD_H

#include <stdbool.h>

#include "core/ctx.h"

#define PASSWORD_HASH_MAX 128
#define PASSWORD_MIN 12		/* characters */
#define PASSWORD_MAX 200	/* bytes */

/* E_INVALID when it is too short or long or no UTF-8; E_UNAVAILABLE without the memory. */
enum err password_hash(struct ctx *c, const char *password, char out[PASSWORD_HASH_MAX]) __attribute__((warn_unused_result));

/* hash NULL: there is no such account; takes the same time as a wrong password and is false. */
bool password_verify(const char *hash, const char *password);

/* Was it hashed with other costs than those configured now? */
bool password_is_old(const char *hash);

#endif
