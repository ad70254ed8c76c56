/*
 * Who speaks.  Everything that may stand behind "Authorization: Bearer" is resolved here, in one place, by the beginning of its text:
 *
 *   mcp_key_   access token of the command line        staff, service or system, with the token's scopes
 *              or of OAuth                             who granted it, with what was granted and is still held
 *   eyJ        signed by us for a service account      service
 *   sct_, eyJ  token of the shop's site, or a JWT      customer (auth/customer_token.h); a JWT of our own: service (auth/oauth.h)
 *   gst_       guest handle                            guest: one order
 *   cst_       customer handle, given at log-in        customer
 *   bsk_       basket handle                           visitor
 *
 * Whoever adds a kind of token adds a row to the table in subject.c.
 */
#ifndef SOUK_AUTH_SUBJECT_H
#define SOUK_AUTH_SUBJECT_H

#include <stdbool.h>

#include "auth/token.h"

/* What came with a request. */
struct bearer {
	const char *text;	/* behind "Bearer ", blanks skipped */
	const char *remote_ip;	/* for allow-lists; NULL: none is allowed */
	const char *base_url;	/* the address under which souk was called, for audiences; "" or NULL: unknown */
	const char *path;	/* of the request, where base_url is known: tokens may be for one MCP server alone */
	bool recall;		/* the route answers while the database is down (token_recall) */
};

/*
 * Who is it?  E_UNAUTHENTICATED for anything wrong, with one message for all reasons; E_RATE_LIMITED instead after too many such from one
 * address (RATE_AUTH); E_UNAVAILABLE when something that is needed is down.
 * *out lives in the arena; it is filled on E_OK alone.
 */
enum err subject_resolve(struct ctx *c, const struct bearer *b, struct subject *out) __attribute__((warn_unused_result));

/* Nobody in particular, counted by address. */
void subject_anonymous(struct ctx *c, const char *remote_ip, struct subject *out);
/* A customer, a guest, a visitor: what these may do is the same for all of their kind. */
void subject_customer(struct ctx *c, const char *customer_id, struct subject *out);
/* What a guest has proven: an order, or "contact:..." for the tickets that were opened with an address (sql/app/56_service_visitors.sql). */
void subject_guest(struct ctx *c, const char *proven, struct subject *out);
/* Is it the visitor of such tickets, not of a basket? */
bool subject_is_contact(const char *visitor);
/* The same besides what the subject is already; nobody in particular becomes a guest. */
void subject_also(struct ctx *c, const char *proven, struct subject *who);
void subject_visitor(struct ctx *c, const char *visitor, const char *remote_ip, struct subject *out);

/* A person of the shop who logged in; scopes separated by blanks. */
void subject_staff(struct ctx *c, const char *staff_id, const char *scopes, struct subject *out);

/* Has the subject shown who it is?  Not so anonymous callers and visitors: what they lack is a log-in, not a permission. */
bool subject_known(const struct subject *s);

#endif
