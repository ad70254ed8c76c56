/* What the database refused: mapped, logged without values, told. */
#include <string.h>

#include "core/log.h"
#include "store/db_internal.h"

static void
clear_result(void *r)
{
	PQclear(r);
}

void
db_defer_clear(struct ctx *c, PGresult *r)
{
	arena_defer(c->a, clear_result, r);
}

/*
 * PostgreSQL quotes values in the messages of these classes ("invalid input syntax for type uuid: "..."").  What stands
 * in double quotes is left out there; elsewhere quotes hold names of tables and columns.
 */
static bool
may_quote_values(const char *state)
{
	return strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 || strncmp(state, "SK", 2) == 0 ||
	    strncmp(state, "P0", 2) == 0 || strncmp(state, "54", 2) == 0;
}

static const char *
without_quoted(struct ctx *c, const char *text)
{
	size_t n = strlen(text), k = 0;
	char *out = arena_alloc(c->a, n + 1);
	bool in = false;

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '"') {
			in = !in;
			out[k++] = '"';
		} else if (!in) {
			out[k++] = text[i];
		}
	}
	out[k] = '\0';
	return out;
}

static const char *
field(const PGresult *r, int code)
{
	const char *s = PQresultErrorField(r, code);

	return s ? s : "";
}

enum err
db_refused(struct ctx *c, const char *statement, const PGresult *r)
{
	const char *state = field(r, PG_DIAG_SQLSTATE);
	const char *text = field(r, PG_DIAG_MESSAGE_PRIMARY);
	bool is_public = false;
	enum err e = err_from_sqlstate(state, &is_public);

	if (e == E_OK)
		e = E_INTERNAL;
	if (is_public) {
		log_event(LOG_DEBUG_, c, "statement refused", LOG_S("statement", statement), LOG_S("sqlstate", state));
		return fail(c, e, "%s", text);
	}
	log_event(e == E_INTERNAL ? LOG_ERROR_ : LOG_WARN_, c, "statement failed", LOG_S("statement", statement),
		LOG_S("sqlstate", state), LOG_S("text", may_quote_values(state) ? without_quoted(c, text) : text),
		LOG_S("table", field(r, PG_DIAG_TABLE_NAME)), LOG_S("constraint", field(r, PG_DIAG_CONSTRAINT_NAME)));
	if (e == E_UNAVAILABLE && c->retry_after_s == 0)
		c->retry_after_s = 1;
	return fail(c, e, NULL);
}
