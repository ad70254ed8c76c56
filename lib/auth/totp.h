/*
 * Time-based one-time passwords (RFC 6238: HMAC-SHA-1, 30 s, six digits, as every authenticator app has them).  The step before and the step after now are
 * accepted too, because clocks differ; who keeps the last used step refuses repeats.  Keys are sealed for the database
 * (XChaCha20-Poly1305 under a key derived from TOKEN_PEPPER), bound to the account's id.
 */
#ifndef SOUK_AUTH_TOTP_H
#define SOUK_AUTH_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ctx.h"

#define TOTP_KEY_LEN 20
#define TOTP_STEP_S 30
#define TOTP_DIGITS 6
#define TOTP_BASE32_LEN 32	/* characters of a key in base 32 */

/* The code of a step (Unix time / 30). */
void totp_code(const unsigned char key[TOTP_KEY_LEN], int64_t step, char out[TOTP_DIGITS + 1]);
/* The step for which the code is right at that Unix time, 0 when it is wrong. */
int64_t totp_match(const unsigned char key[TOTP_KEY_LEN], const char *code, int64_t now_s);

/* For the app: the key in base 32 (RFC 4648, no padding). */
void totp_base32(const unsigned char key[TOTP_KEY_LEN], char out[TOTP_BASE32_LEN + 1]);

/* Sealed, in hexadecimal, in the arena; NULL without TOKEN_PEPPER. */
const char *totp_seal(struct ctx *c, const char *account, const unsigned char key[TOTP_KEY_LEN]);
bool totp_open(const char *account, const char *sealed, unsigned char key[TOTP_KEY_LEN]);

#endif
