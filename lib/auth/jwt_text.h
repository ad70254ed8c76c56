/*
 * JSON Web Tokens (RFC 7519) by libjwt.  The caller says which algorithm it expects: what the token claims of itself decides nothing, so neither "none" nor
 * a public key taken for a shared secret gets through.  Times and names in the claims are the caller's to check.
 */
#ifndef SOUK_AUTH_JWT_TEXT_H
#define SOUK_AUTH_JWT_TEXT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"

#define JWT_TEXT_MAX 8192

/* The header before anything is verified: for choosing the key.  *kid is "" when there is none.  false: this is no such token. */
bool jwt_text_head(struct ctx *c, const char *text, const char **alg, const char **kid);

/*
 * Verify the signature.  alg: "HS256" with the secret's bytes as key, "RS256" or "ES256" with a public key as PEM text.  false: for whatever reason.  *claims
 * belongs to the arena.
 */
bool jwt_text_verify(struct ctx *c, const char *text, const char *alg, const char *key, size_t keysz, json_object **claims);

/* Sign claims (JSON text of an object) with ES256.  NULL when the key cannot be used. */
const char *jwt_text_sign(struct ctx *c, const char *kid, const char *private_pem, const char *claims);

/* A new key on P-256. */
struct jwt_pair {
	const char *private_pem, *public_pem;	/* PKCS 8, SubjectPublicKeyInfo */
	const char *x, *y;			/* the point, base64url, for a JSON Web Key */
};
bool jwt_pair_make(struct ctx *c, struct jwt_pair *out);

#endif
