/*
 * Handles that stand for a log-in: cst_ (a customer) and gst_ (what a guest has proven).  They are signed (auth/signed.h), end by themselves, and can be ended
 * before by whoever holds them.  Each is another one: its id has six random characters behind a '.', so that who logs out here stays logged
 * in elsewhere.
 */
#ifndef SOUK_AUTH_HANDLE_H
#define SOUK_AUTH_HANDLE_H

#include "auth/signed.h"

/* Make a handle of that kind for a customer, order or ticket, good for keep_s seconds.  Errors: those of signed_make(). */
enum err handle_make(struct ctx *c, const char *kind, const char *id, int64_t keep_s, char out[SIGNED_MAX]) __attribute__((warn_unused_result));

/*
 * Check one: signature, age, that it was not ended, and of cst that the customer is still there.  *id is in the arena.  E_UNAUTHENTICATED with one
 * message for anything wrong, else the store's errors.
 */
enum err handle_check(struct ctx *c, const char *kind, const char *text, const char **id) __attribute__((warn_unused_result));

/* End one that was checked.  Twice is no error. */
enum err handle_end(struct ctx *c, const char *text) __attribute__((warn_unused_result));

#endif
