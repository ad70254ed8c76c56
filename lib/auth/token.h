/*
 * Access tokens `mcp_key_<id>_<secret><checksum>`: id 12 and secret 43 characters of base62 (256 bits), checksum 6 (CRC-32 of
 * id_secret in base62, so typing errors stop before the database).  Stored: keyed BLAKE2b-256 of the secret under TOKEN_PEPPER.
 * Verified tokens are cached in the process; a revocation bumps SHM_TOKENS and notifies, so it holds at the next request of every process.
 */
#ifndef SOUK_AUTH_TOKEN_H
#define SOUK_AUTH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"

#define TOKEN_TEXT_MAX 128
#define SCOPES_MAX 32

/* The principal of a request.  Lives in the request's arena. */
struct subject {
	const char *kind;		/* see struct db_subject */
	const char *token_id;		/* "" without a token */
	const char *name;		/* token name, for the audit; "" without */
	const char *customer_id;	/* "" unless a customer */
	const char *rate_class;		/* "" or "bulk" */
	const char *visitor;		/* of a signed basket handle; "" without */
	const char *order_id;		/* the order that a guest has proven; "" without */
	const char *staff_id;		/* a person of the shop who logged in; "" for tokens and everybody else */
	const char *handle;		/* the handle (auth/handle.h) that showed it; NULL: something else did */
	const char *audience;		/* the resource that an OAuth token is for; NULL or "": any */
	const char *principal;		/* "token:<id>", "grant:<id>", "service:<id>", "customer:<id>", "guest:<order>", "staff:<id>" or "ip:<addr>"; never NULL; owner of idempotency
					   keys and rate counters */
	const char *scopes[SCOPES_MAX + 1];	/* NULL-terminated */
};

/* Does the subject hold the scope?  "none" is always held; "*" holds all; "orders:*" holds "orders:read". */
bool scope_held(const struct subject *s, const char *scope);

/*
 * Check a bearer token (text without "Bearer ").  remote_ip is compared with the token's allow-list.
 * E_UNAUTHENTICATED for anything wrong (one message for all reasons), E_UNAVAILABLE when the database is needed and down.
 */
enum err token_verify(struct ctx *c, const char *text, const char *remote_ip, struct subject *out) __attribute__((warn_unused_result));

/*
 * Write down when tokens were last used: at most once a minute for each.  The request loop calls it where it calls record_flush(): after the
 * answer, in idle moments and before a plain CGI process ends.  Costs nothing when nothing waits.
 */
void token_flush_uses(void);

/* The functions below work on souk.tokens as its owner (db_use_owner), each in a transaction of its own with a row in souk.audit. */
/*
 * The same for routes that must answer while the database is down (status): then a token that this process found valid within the last hour
 * is still accepted.  E_UNAVAILABLE for one that it has not seen.
 */
enum err token_recall(struct ctx *c, const char *text, const char *remote_ip, struct subject *out) __attribute__((warn_unused_result));

struct token_spec {
	const char *name;		/* required, 1..100 characters */
	const char *kind;		/* staff (default), service, system */
	const char *scopes;		/* comma or space separated, required */
	const char *rate_class;		/* NULL or "bulk" */
	const char *ip_allow;		/* NULL or comma separated addresses or networks */
	int64_t expires_in_s;		/* 0: never */
};

/* Create; the token's text is written once to out (TOKEN_TEXT_MAX). */
enum err token_create(struct ctx *c, const struct token_spec *spec, char out[TOKEN_TEXT_MAX]) __attribute__((warn_unused_result));
/* New secret and id with the same rights; the old one ends after overlap_s. */
enum err token_rotate(struct ctx *c, const char *id, int64_t overlap_s, char out[TOKEN_TEXT_MAX]) __attribute__((warn_unused_result));
/* E_NOT_FOUND when there is no such token. */
enum err token_revoke(struct ctx *c, const char *id) __attribute__((warn_unused_result));
/* JSON array of all tokens without secrets. */
enum err token_list(struct ctx *c, const char **json, size_t *n) __attribute__((warn_unused_result));

#endif
