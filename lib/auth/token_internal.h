/* What the token*.c files share.  Nobody else includes this. */
#ifndef SOUK_AUTH_TOKEN_INTERNAL_H
#define SOUK_AUTH_TOKEN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/token.h"
#include "store/sql.h"

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

/* token_admin.c */
/* "a:b, c:d" -> "a:b c:d": items separated by one space. */
const char *token_list_spaced(struct ctx *c, const char *list);
/* A list of scopes in that form, each of them well formed.  E_INVALID. */
enum err token_scopes_check(struct ctx *c, const char *list, bool required, const char **out) __attribute__((warn_unused_result));

/* token.c */
/*
 * The subject of the row that find (columns of token_find) gives for the id, from the process's memory where that is current.  hash: of the secret that was
 * presented, compared; NULL when the caller has proven the id otherwise.  Ids of different statements differ in form, so that they share the memory.
 */
enum err token_subject(struct ctx *c, const struct sql *find, const char *id, const unsigned char *hash, const char *remote_ip, bool recall,
	struct subject *out) __attribute__((warn_unused_result));

#endif
