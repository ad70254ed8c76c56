#include "shop/upload.h"

#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/log.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db_owner.h"

static void
finish(void *pg)
{
	PQfinish(pg);
}

static void
clear(void *r)
{
	PQclear(r);
}

static enum err
unavailable(struct ctx *c, const char *where, const char *why)
{
	log_event(LOG_ERROR_, c, "upload failed", LOG_S("statement", where), LOG_S("text", why));
	return fail(c, E_UNAVAILABLE, NULL);
}

enum err
upload_connect(struct ctx *c, PGconn **out)
{
	char why[512];

	if ((*out = db_owner_open(why, sizeof(why))) == NULL)
		return unavailable(c, "connect", why);
	arena_defer(c->a, finish, *out);
	return E_OK;
}

/* One statement with text parameters but one of bytes; the result, which the arena owns, in binary when wanted. */
static enum err
run(struct ctx *c, PGconn *pg, const struct sql *q, int n, const char *const *v, size_t bytes, bool binary, PGresult **out)
{
	int length[8] = { 0 }, format[8] = { 0 };
	PGresult *r;

	if (bytes > 0) {
		length[3] = (int)bytes;
		format[3] = 1;
	}
	if (PQsetnonblocking(pg, 0) != 0)
		return unavailable(c, q->name, PQerrorMessage(pg));
	r = PQexecParams(pg, q->text, n, NULL, v, length, format, binary);
	arena_defer(c->a, clear, r);
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		return unavailable(c, q->name, PQerrorMessage(pg));
	*out = r;
	return E_OK;
}

enum err
upload_add(struct ctx *c, PGconn *pg, const struct subject *who, struct upload *u)
{
	const char *v[5] = { u->id, who->principal, u->name, u->bytes, u->options };
	char random[25];
	PGresult *r;

	random_base62(random, sizeof(random) - 1);
	random[sizeof(random) - 1] = '\0';
	for (char *p = random; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	snprintf(u->id, sizeof(u->id), "up_%s", random);
	if (run(c, pg, &sql_upload_add, 5, v, u->n, false, &r))
		return c->err;
	u->expires = arena_strdup(c->a, PQgetvalue(r, 0, 0));
	return E_OK;
}

static enum err
unknown(struct ctx *c)
{
	return fail(c, E_NOT_FOUND, "there is no such file waiting: its hour is over, it is being imported just now, or somebody else brought it");
}

enum err
upload_named(struct ctx *c, const char *id, struct upload *u)
{
	size_t n = strlen(id);

	if (n >= sizeof(u->id) || strncmp(id, "up_", 3) != 0 || strspn(id + 3, "0123456789abcdefghijklmnopqrstuvwxyz") != n - 3)
		return unknown(c);
	memcpy(u->id, id, n + 1);
	return E_OK;
}

static const char *
column(struct ctx *c, const PGresult *r, int at)
{
	return arena_strndup(c->a, PQgetvalue(r, 0, at), (size_t)PQgetlength(r, 0, at));
}

enum err
upload_open(struct ctx *c, PGconn *pg, const struct subject *who, bool claim, struct upload *u)
{
	const char *v[2] = { u->id, who->principal };
	PGresult *r;

	if (run(c, pg, claim ? &sql_upload_claim : &sql_upload_find, 2, v, 0, true, &r))
		return c->err;
	if (PQntuples(r) == 0)
		return unknown(c);
	u->bytes = PQgetvalue(r, 0, 0);
	u->n = (size_t)PQgetlength(r, 0, 0);
	u->name = column(c, r, 1);
	u->options = column(c, r, 2);
	u->expires = column(c, r, 3);
	return E_OK;
}

enum err
upload_remember(struct ctx *c, PGconn *pg, const struct upload *u)
{
	const char *v[2] = { u->id, u->options };
	PGresult *r;

	return run(c, pg, &sql_upload_options, 2, v, 0, false, &r);
}

enum err
upload_report(struct ctx *c, PGconn *pg, const struct subject *who, const char *id, const char **report)
{
	const char *v[2] = { id, who->principal };
	PGresult *r;

	if (run(c, pg, &sql_upload_report, 2, v, 0, false, &r))
		return c->err;
	*report = PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : NULL;
	return E_OK;
}

enum err
upload_done(struct ctx *c, PGconn *pg, const struct upload *u, bool again, const char *report)
{
	const char *v[3] = { u->id, again ? "true" : "false", report };
	PGresult *r;

	return run(c, pg, &sql_upload_done, 3, v, 0, false, &r);
}
