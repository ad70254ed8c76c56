/* What the oauth*.c files share.  Nobody else includes this. */
#ifndef SOUK_AUTH_OAUTH_INTERNAL_H
#define SOUK_AUTH_OAUTH_INTERNAL_H

#include <stdbool.h>

#include "auth/oauth.h"
#include "auth/token_internal.h"
#include "web/page.h"
#include "web/req.h"

#define URI_MAX 500		/* bytes of a redirect_uri or client id */
#define URIS_MAX 10		/* redirect_uris of a client */
#define STATE_MAX 2048
#define CLIENTS_UNUSED_MAX "5000"	/* registered clients that nobody has used yet */

/* ---- oauth_client.c */

struct oauth_client {
	const char *id, *kind, *method, *name, *uri;
	const char *redirect_uris[2 * URIS_MAX + 1];	/* NULL-terminated */
	const char *secret_hash, *previous_hash;	/* hex, "" when there is none */
	const char *scopes;				/* space separated */
	int64_t age_s;					/* of the document */
};

/* The client as it is stored.  E_NOT_FOUND: there is none. */
enum err client_find(struct ctx *c, const char *id, struct oauth_client *out) __attribute__((warn_unused_result));
/* The same, and a client id that is a URL is read from there when it is not known or older than an hour (oauth_document.c). */
enum err client_load(struct ctx *c, const char *id, struct oauth_client *out) __attribute__((warn_unused_result));
bool client_id_is_url(const char *id);
/* The host of a URL, "" when there is none; in the arena. */
const char *uri_host(struct ctx *c, const char *uri);
/* Is it an address that a client may have its codes sent to?  NULL: yes; else why not. */
const char *redirect_fault(const char *uri);
/* Is it one of the client's, exactly but for the port of a loopback address? */
bool redirect_matches(const struct oauth_client *k, const char *uri);
/*
 * Who asks at /oauth/token and /oauth/revoke: client_id, with the secret where the client has one.  *out is filled on E_OK; a refusal has been sent when it
 * is not (res_done).
 */
enum err client_authenticate(struct req *r, const struct pair *fields, size_t n, struct oauth_client *out) __attribute__((warn_unused_result));
/* A new secret of 43 characters and its hash. */
bool secret_new(char secret[TOKEN_SECRET_LEN + 1], char hex[2 * TOKEN_HASH_LEN + 1]);
/* The hash of a presented secret; false when it cannot be one. */
bool secret_hash(const char *secret, char hex[2 * TOKEN_HASH_LEN + 1]);

/* ---- oauth_document.c */
/* Read and keep the document.  E_INVALID: it cannot be used; E_UNAVAILABLE: it could not be had. */
enum err document_read(struct ctx *c, const char *url) __attribute__((warn_unused_result));

/* ---- oauth_register.c: what registration and documents have in common */
struct oauth_metadata {
	const char *name, *uri, *method;
	const char *redirect_uris;	/* JSON array */
	const char *scopes;		/* space separated */
	const char *error, *why;	/* set when it is refused */
};
bool metadata_read(struct ctx *c, json_object *o, struct oauth_metadata *m);

/* ---- oauth_meta.c */
/* E_NOT_FOUND where nothing is offered, E_FORBIDDEN for a Host that is not ours; *issuer is the service's address. */
enum err oauth_open(struct req *r, const char **issuer) __attribute__((warn_unused_result));
/* {"error": ..., "error_description": ...} */
enum err oauth_refuse(struct req *r, int status, const char *error, const char *why);
/* The resource that a client names, in the form that audiences have; "" for none named: everything.  NULL: not one of ours. */
const char *resource_named(struct req *r, const char *issuer, const char *named);
/* The scopes that exist at a resource, space separated. */
const char *resource_scopes(struct ctx *c, const char *issuer, const char *resource);
/* The words of list that are also in among. */
const char *scopes_among(struct ctx *c, const char *list, const char *among);
bool scope_listed(const char *list, const char *scope, size_t n);

/* ---- oauth_words.c */
/* What a scope lets its holder do, in plain words.  staff: a person of the shop; *changes: not only read. */
const char *scope_words(struct ctx *c, const char *scope, const char *locale, bool staff, bool *changes);

/* ---- oauth_consent.c */
struct oauth_ask {
	struct oauth_client client;
	const char *issuer, *query;	/* query: as it came */
	const char *redirect_uri, *state, *challenge, *resource;
	const char *scopes;		/* asked for; space separated */
	const char *locale;
};
/* The question to the person who is logged in.  given: what they would grant. */
enum err consent_page(struct req *r, const struct oauth_ask *ask, const struct subject *who, const char *given);
/* The path of the log-in that comes back to the question. */
const char *consent_login(struct req *r, const char *query);
/* What login_form_token() is for here. */
const char *consent_purpose(struct ctx *c, const char *query);
/* A page that says what is wrong, for what must not be sent on to the client. */
enum err consent_fault(struct req *r, const char *locale, int status, const char *en, const char *fr);

/* ---- oauth_service.c */
/* A JWT for a service account. */
enum err service_token(struct req *r, const char *issuer, const struct oauth_client *k, const struct pair *fields, size_t n)
	__attribute__((warn_unused_result));

#endif
