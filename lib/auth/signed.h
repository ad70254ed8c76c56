/*
 * Signed handles: short texts that name one thing and cannot be made up, <kind>_<base64url>, of letters, digits, '-' and '_' (URL-safe), shorter than
 * SIGNED_MAX.  What they carry can be read by whoever holds one, so the id must not be a secret, and whoever holds one may use it.
 *
 *   base64url( expiry 8 bytes big-endian seconds, 0 never | id | MAC 16 bytes )    without padding
 *   MAC = BLAKE2b-128 of kind, NUL, expiry and id under a key derived from TOKEN_PEPPER for this purpose alone
 *
 * A handle of one kind is worth nothing as another, and changing TOKEN_PEPPER ends all of them.  Kinds: bsk basket (its visitor), gst guest (an order that
 * was proven), cst customer (who proved an address), pay payment page, lgn and frm (steps and forms of the log-in pages).
 */
#ifndef SOUK_AUTH_SIGNED_H
#define SOUK_AUTH_SIGNED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ctx.h"

#define SIGNED_MAX 128		/* with the NUL */
#define SIGNED_ID_MAX 64	/* bytes of the id: visible ASCII */
#define SIGNED_KIND 3		/* lower-case letters of a kind */

/*
 * Make a handle.  expires_at: Unix seconds, 0 never.  E_UNAVAILABLE when no TOKEN_PEPPER is set; E_INTERNAL for a kind or id of a wrong form.
 */
enum err signed_make(struct ctx *c, const char *kind, const char *id, int64_t expires_at, char out[SIGNED_MAX])
	__attribute__((warn_unused_result));

/*
 * Check a handle of that kind; *id is in the arena.  E_UNAUTHENTICATED with one message for anything wrong: form, kind, signature, age.
 */
enum err signed_check(struct ctx *c, const char *kind, const char *text, const char **id) __attribute__((warn_unused_result));

/* Does the text claim to be of that kind?  Looks at its beginning alone. */
bool signed_is(const char *kind, const char *text);

/* A key of 32 bytes for one purpose, derived from TOKEN_PEPPER; false without one. */
bool signed_key(const char *purpose, unsigned char key[32]);

#endif
