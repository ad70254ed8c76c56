#include "web/router.h"

#include <stdio.h>
#include <string.h>

#include "auth/rate.h"
#include "tool/tool.h"
#include "web/req.h"

static const struct { enum method m; const char *name; } methods[] = {
	{ M_GET, "GET" }, { M_HEAD, "HEAD" }, { M_POST, "POST" }, { M_PUT, "PUT" }, { M_PATCH, "PATCH" }, { M_DELETE, "DELETE" },
};

const char *
method_name(enum method m)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (methods[i].m == m)
			return methods[i].name;
	return "OPTIONS";
}

bool
router_match(const char *pattern, const char *path, const char **var, size_t *varsz)
{
	*var = NULL;
	*varsz = 0;
	while (*pattern && *path) {
		if (*pattern == '{') {
			size_t n = strcspn(path, "/");

			if (n == 0)
				return false;
			*var = path;
			*varsz = n;
			path += n;
			pattern = strchr(pattern, '}') + 1;
		} else if (*pattern++ != *path++)
			return false;
	}
	return *pattern == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

/* HEAD is served where GET is. */
static bool
serves(const struct route *t, enum method m)
{
	return (t->methods & (unsigned)m) || (m == M_HEAD && (t->methods & M_GET));
}

/* Split "action=products"; true when the request has that pair. */
static bool
query_fits(const struct req *r, const char *query)
{
	const char *eq = strchr(query, '=');

	for (size_t i = 0; i < r->nparams; i++)
		if (strlen(r->params[i].name) == (size_t)(eq - query) && memcmp(r->params[i].name, query, (size_t)(eq - query)) == 0)
			return strcmp(r->params[i].value, eq + 1) == 0;
	return false;
}

const char *
router_methods(struct req *r)
{
	unsigned all = 0;
	const char *var;
	struct buf b;
	size_t n;

	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++)
			if (router_match(t->path, r->path, &var, &n))
				all |= t->methods;
	if (all == 0)
		return NULL;
	if (all & M_GET)
		all |= M_HEAD;
	buf_init(&b, r->c.a, 64, 256);
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (all & methods[i].m)
			buf_printf(&b, "%s%s", b.n ? ", " : "", methods[i].name);
	return buf_str(&b);
}

/* "action: must be one of products, product, ..." for rows that differ by a query pair. */
static enum err
refuse_query(struct req *r, const char *name, size_t namesz)
{
	const char *var;
	struct buf b;
	size_t n;

	buf_init(&b, r->c.a, 128, 1024);
	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++)
			if (t->query && serves(t, r->method) && router_match(t->path, r->path, &var, &n))
				buf_printf(&b, "%s%s", b.n ? ", " : "", strchr(t->query, '=') + 1);
	return fail(&r->c, E_INVALID, "%.*s: must be one of %s", (int)namesz, name, buf_str(&b));
}

enum err
router_find(struct req *r)
{
	const struct route *by_query = NULL;
	const char *var, *allow;
	size_t n;

	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++) {
			if (!serves(t, r->method) || !router_match(t->path, r->path, &var, &n))
				continue;
			if (t->query && !query_fits(r, t->query)) {
				by_query = t;
				continue;
			}
			r->route = t;
			return E_OK;
		}
	if (by_query)
		return refuse_query(r, by_query->query, strcspn(by_query->query, "="));
	if ((allow = router_methods(r)) == NULL)
		return fail(&r->c, E_NOT_FOUND, "no such route: %.200s", r->path);
	res_header(r, "Allow", allow);
	return fail(&r->c, E_METHOD, "method not allowed here; allowed: %s", allow);
}

/* Does the tool's x-rest say what the row says? */
static bool
rest_agrees(const struct tool_rest *rest, const struct route *t)
{
	if (!rest->path || strcmp(rest->path, t->path) != 0 || strcmp(rest->method, method_name((enum method)t->methods)) != 0)
		return false;
	return rest->query && t->query ? strcmp(rest->query, t->query) == 0 : rest->query == t->query;
}

static const char *
row_fault(const struct route *t)
{
	const struct tool *tool;

	if (t->methods == 0 || t->path[0] != '/')
		return "needs a method and a path that starts with /";
	if (t->query && !strchr(t->query, '='))
		return "query must be name=value";
	if (t->tool) {
		if (t->scope || t->rate || t->handler)
			return "a tool's row takes scope, rate and handler from the contract";
		if ((tool = tool_find(t->tool)) == NULL)
			return "names an unknown tool";
		return rest_agrees(&tool->rest, t) ? NULL : "differs from the x-rest of its tool";
	}
	if (!t->scope || !*t->scope)
		return "has no scope";
	if (!t->rate || !rate_class_known(t->rate))
		return "has no known rate class";
	if (!t->summary || !*t->summary)
		return "has no summary";
	return t->handler ? NULL : "has no handler";
}

/* Is there an earlier row for the same method, path and query? */
static bool
row_repeats(const struct program *last, const struct route *row)
{
	for (const struct program *p = programs; p->name; p++) {
		for (const struct route *t = p->routes; t->path; t++) {
			if (t == row)
				return false;
			if ((t->methods & row->methods) && strcmp(t->path, row->path) == 0 && !t->query == !row->query &&
			    (!t->query || strcmp(t->query, row->query) == 0))
				return true;
		}
		if (p == last)
			break;
	}
	return false;
}

bool
router_check(char *err, size_t errsz)
{
	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++) {
			const char *why = row_repeats(p, t) ? "repeats an earlier row" : row_fault(t);

			if (why) {
				snprintf(err, errsz, "cgi-bin/%s: route %s %s", p->name, t->path, why);
				return false;
			}
		}
	return true;
}
