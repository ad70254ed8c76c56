/*
 * Secrets at rest: sealed with XChaCha20-Poly1305 under a key derived from TOKEN_PEPPER, so that a copy of the database is worth nothing.  What is sealed is bound to
 * the place where it is stored ("oauth_keys.private_sealed:K1"), so that no row can be given another's.  Form: "v1." and base64url of nonce and sealed text.
 */
#ifndef SOUK_AUTH_SEAL_H
#define SOUK_AUTH_SEAL_H

#include <stddef.h>

#include "core/ctx.h"

/* NULL: there is no TOKEN_PEPPER. */
const char *seal_text(struct ctx *c, const char *place, const void *text, size_t n);
/* NUL-terminated besides; NULL: not ours, changed, or from another place. */
const char *seal_open(struct ctx *c, const char *place, const char *sealed, size_t *n);

#endif
