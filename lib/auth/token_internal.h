/* What the token*.c files share.  Nobody else includes this. */
#ifndef SOUK_AUTH_TOKEN_INTERNAL_H
#define SOUK_AUTH_TOKEN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/token.h"

#define TOKEN_PREFIX "mcp_key_"
#define TOKEN_ID_LEN 12
#define TOKEN_SECRET_LEN 43
#define TOKEN_SUM_LEN 6
#define TOKEN_HASH_LEN 32

/* A token's text taken apart. */
struct token_text {
	char id[TOKEN_ID_LEN + 1];
	unsigned char hash[TOKEN_HASH_LEN];	/* keyed hash of the secret */
};

/* token_text.c */
/* Strict: prefix, lengths, alphabet and checksum must be right.  Does not need the pepper. */
bool token_parse(const char *text, char id[TOKEN_ID_LEN + 1], const char **secret);
/* false when there is no TOKEN_PEPPER. */
bool token_hash(const char *secret, unsigned char hash[TOKEN_HASH_LEN]);
/* A new id and secret: text for its owner, hash for the database.  false when there is no TOKEN_PEPPER. */
bool token_new(char out[TOKEN_TEXT_MAX], struct token_text *t);

#endif
