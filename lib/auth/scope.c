/* Scopes: "area:verb"; "area:*" holds the area, "*" everything, and everybody holds "none". */
#include <string.h>

#include "auth/token.h"

static bool
covers(const char *held, const char *scope)
{
	size_t n = strlen(held);

	if (strcmp(held, "*") == 0 || strcmp(held, scope) == 0)
		return true;
	return n >= 3 && held[n - 2] == ':' && held[n - 1] == '*' && strncmp(held, scope, n - 1) == 0;
}

bool
scope_held(const struct subject *s, const char *scope)
{
	if (scope == NULL)
		return false;
	if (strcmp(scope, "none") == 0)
		return true;
	for (size_t i = 0; i < SCOPES_MAX && s->scopes[i] != NULL; i++)
		if (covers(s->scopes[i], scope))
			return true;
	return false;
}
