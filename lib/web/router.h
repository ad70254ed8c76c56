/* From a request to its row in the linked programs' route tables. */
#ifndef SOUK_WEB_ROUTER_H
#define SOUK_WEB_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "web/req.h"
#include "web/route.h"

/*
 * Check all tables: every row has a path, methods, a scope and a known rate class written out, and a handler; or a tool that exists and whose
 * x-rest names the same method, path and query.  No two rows overlap.  false: err names program and row.
 */
bool router_check(char *err, size_t errsz);

/*
 * Find the row for r->method and r->path and set r->route.  A trailing slash is ignored.  E_NOT_FOUND, E_METHOD (with the Allow header set), or
 * E_INVALID when rows differ by a query pair and none fits ("action: must be one of ...").
 */
enum err router_find(struct req *r);

/* "GET, HEAD, POST" for all rows of the path; NULL when the path is unknown.  In the arena. */
const char *router_methods(struct req *r);

/* Does the pattern "/mcp/{server}" match the path; *var then is the segment's position (0 when the pattern has none). */
bool router_match(const char *pattern, const char *path, const char **var, size_t *varsz);

const char *method_name(enum method m);

#endif
