/*
 * OAuth 2.1: souk is a resource server, and the authorization server for itself.
 *
 * Formats: OAuth 2.1 (draft), RFC 8414 server metadata, RFC 9728 resource metadata, RFC 7636 PKCE (S256 alone), RFC 8707 resource, RFC 9207 iss, RFC 7591
 * registration, RFC 7009 revocation, client id metadata documents (draft-ietf-oauth-client-id-metadata-document), RFC 8252 loopback addresses,
 * RFC 9068 claims of service accounts' tokens.
 *
 * A person's yes to a client is a grant.  Access tokens of a grant are rows of souk.tokens, so token_verify() checks them and a revocation holds at
 * the next request of every process; refresh tokens are good once, and one that comes again ends its grant.  Service accounts get short JWTs.
 *
 * The issuer is the service's own address (PUBLIC_URL, else Host).  Resources are that address, {address}/mcp, which both stand for everything, and
 * {address}/mcp/{server}, whose tokens are good there alone.  Nothing is offered where the address is neither https nor of this machine, and with OAUTH = off:
 * all addresses are then 404.
 */
#ifndef SOUK_AUTH_OAUTH_H
#define SOUK_AUTH_OAUTH_H

#include <stdbool.h>

#include "auth/token.h"
#include "core/ctx.h"

struct req;

/* Is there an authorization server for this request's address? */
bool oauth_offered(struct req *r);

/*
 * The value of WWW-Authenticate for E_UNAUTHENTICATED or E_FORBIDDEN, with the address of the resource's metadata where there is one.  presented: a token came
 * with the request.  scope: NULL when none is needed or known.  In the arena.
 */
const char *oauth_challenge(struct req *r, enum err e, bool presented, const char *scope);

/* The same for callers that have no request: metadata is its address or NULL. */
const char *oauth_challenge_text(struct ctx *c, const char *metadata, enum err e, bool presented, const char *scope);
/* The address of the metadata of the resource that r->path belongs to, NULL where nothing is offered. */
const char *oauth_metadata_url(struct req *r);

/* Is a token for this audience good at base_url and path (of the request, without BASE_PATH; NULL: of no particular server)? */
bool oauth_audience_fits(const char *audience, const char *base_url, const char *path);

/*
 * Check a service account's token (a JWT that we signed).  E_UNAUTHENTICATED for anything wrong, with one message; E_UNAVAILABLE when the database is needed and
 * down.  Its audience is in *out and still to be compared.
 */
enum err oauth_token_verify(struct ctx *c, const char *text, const char *remote_ip, struct subject *out) __attribute__((warn_unused_result));

/* Handlers of cgi-bin/oauth.c. */
enum err oauth_resource_metadata(struct req *r);	/* GET /.well-known/oauth-protected-resource[/mcp[/{server}]] */
enum err oauth_server_metadata(struct req *r);		/* GET /.well-known/oauth-authorization-server, openid-configuration */
enum err oauth_jwks(struct req *r);			/* GET /oauth/jwks */
enum err oauth_authorize(struct req *r);		/* GET /oauth/authorize: log-in, then the question */
enum err oauth_decide(struct req *r);			/* POST /oauth/authorize: the answer */
enum err oauth_token(struct req *r);			/* POST /oauth/token */
enum err oauth_register(struct req *r);			/* POST /oauth/register */
enum err oauth_revoke(struct req *r);			/* POST /oauth/revoke */

/* The functions below work as the owner of the database (db_use_owner), each with a row in souk.audit: the command line. */
#define OAUTH_ID_MAX 48
#define OAUTH_SECRET_MAX 64

struct oauth_account {
	const char *name;		/* required, 1..100 characters */
	const char *scopes;		/* comma or space separated; required for a service */
	const char *ip_allow;		/* NULL or comma separated addresses or networks */
	const char *rate_class;		/* NULL or "bulk" */
	const char *redirect_uris;	/* NULL: a service account; else a client for people, comma or space separated */
	bool is_public;			/* a client for people without a secret */
};

/* Create; the secret is written once ("" for a public client).  A service account needs a signing key: the first makes one. */
enum err oauth_account_create(struct ctx *c, const struct oauth_account *a, char id[OAUTH_ID_MAX], char secret[OAUTH_SECRET_MAX])
	__attribute__((warn_unused_result));
/* A new secret; the old one ends after overlap_s. */
enum err oauth_account_rotate(struct ctx *c, const char *id, int64_t overlap_s, char secret[OAUTH_SECRET_MAX]) __attribute__((warn_unused_result));
/* Nothing that was given to it or for it is good any more. */
enum err oauth_account_revoke(struct ctx *c, const char *id) __attribute__((warn_unused_result));
enum err oauth_account_list(struct ctx *c, const char **json, size_t *n) __attribute__((warn_unused_result));
enum err oauth_grant_list(struct ctx *c, const char **json, size_t *n) __attribute__((warn_unused_result));
enum err oauth_grant_revoke(struct ctx *c, const char *id) __attribute__((warn_unused_result));
/* A new signing key; the one before goes on verifying what it signed. */
enum err oauth_key_rotate(struct ctx *c, char id[OAUTH_ID_MAX]) __attribute__((warn_unused_result));
enum err oauth_key_revoke(struct ctx *c, const char *id) __attribute__((warn_unused_result));
enum err oauth_key_list(struct ctx *c, const char **json, size_t *n) __attribute__((warn_unused_result));

#endif
