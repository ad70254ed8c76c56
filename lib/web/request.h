/* The steps of a request that tests and tools call one by one; the order around every handler is app_request() in request.c. */
#ifndef SOUK_WEB_REQUEST_H
#define SOUK_WEB_REQUEST_H

#include "web/req.h"

/* Fill r from the connection: id, deadline, address, locale, method, path, query.  r->conn and r->c.a are set.  E_INVALID, E_METHOD. */
enum err req_init(struct req *r) __attribute__((warn_unused_result));

/* Read the whole body within the route's limit, check its content type, parse JSON unless ROUTE_RAW_BODY.  E_TOO_LARGE, E_MEDIA_TYPE, E_INVALID. */
enum err req_read_body(struct req *r) __attribute__((warn_unused_result));

/* Who speaks: the bearer token, else an anonymous principal by address.  E_UNAUTHENTICATED for a bad token, E_UNAVAILABLE. */
enum err req_authenticate(struct req *r) __attribute__((warn_unused_result));

/* Every answer tells the limits: what was not counted shows the state that the caller has. */
void req_show_rate(struct req *r);

/*
 * %-decode n bytes (plus: '+' is a blank).  E_INVALID for a broken escape, a NUL byte, or what is not UTF-8.
 */
enum err url_decode(struct ctx *c, const char *s, size_t n, bool plus, const char **out, size_t *outsz) __attribute__((warn_unused_result));

/* Split a query string into at most 64 decoded pairs. */
enum err query_parse(struct ctx *c, const char *query, struct pair **out, size_t *n) __attribute__((warn_unused_result));

/* The best of a list such as "fr,en" for an Accept-Language value (NULL: none), by weight; NULL when it names none of them. */
const char *locale_among(struct ctx *c, const char *accept, const char *have);
/* The best of SHOP_LOCALES for an Accept-Language value (NULL: none); else SHOP_LOCALE. */
const char *locale_negotiate(struct ctx *c, const char *accept);

/* Turn "/index.php?mcp&page&x=1" into "/api/mcp/page?x=1". */
void legacy_target(struct req *r);

#endif
