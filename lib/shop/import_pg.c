/* The import's connection: COPY text, several statements in one message, waiting with a limit. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/failstop.h"
#include "gen/sql.h"
#include "shop/import.h"

/* ---- COPY text ---- */

static char *
reserve(struct copy_buf *b, size_t n)
{
	size_t room = b->room ? b->room : 65536;

	while (room < b->used + n)
		room *= 2;
	if (room > b->room) {
		if ((b->p = realloc(b->p, room)) == NULL)
			failstop("out of memory");
		b->room = room;
	}
	return b->p + b->used;
}

static void
separate(struct copy_buf *b)
{
	if (b->used > 0 && b->p[b->used - 1] != '\n') {
		*reserve(b, 1) = '\t';
		b->used++;
	}
}

void
copy_null(struct copy_buf *b)
{
	separate(b);
	memcpy(reserve(b, 2), "\\N", 2);
	b->used += 2;
}

void
copy_text(struct copy_buf *b, const char *s, size_t n)
{
	size_t i, from = 0;
	char *out;

	if (s == NULL) {
		copy_null(b);
		return;
	}
	separate(b);
	out = reserve(b, 2 * n + 1);
	for (i = 0; i < n; i++) {
		char c = s[i];

		if (c != '\\' && c != '\t' && c != '\n' && c != '\r')
			continue;
		memcpy(out, s + from, i - from);
		out += i - from;
		*out++ = '\\';
		*out++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
		from = i + 1;
	}
	memcpy(out, s + from, n - from);
	out += n - from;
	b->used = (size_t)(out - b->p);
}

void
copy_int(struct copy_buf *b, int64_t v)
{
	char text[24];

	copy_text(b, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)v));
}

void
copy_row_end(struct copy_buf *b, int64_t line)
{
	if (b->rows + 2 > b->rowsroom) {
		b->rowsroom = b->rowsroom ? b->rowsroom * 2 : 4096;
		b->at = realloc(b->at, b->rowsroom * sizeof(*b->at));
		b->line = realloc(b->line, b->rowsroom * sizeof(*b->line));
		if (b->at == NULL || b->line == NULL)
			failstop("out of memory");
	}
	*reserve(b, 1) = '\n';
	b->used++;
	if (b->rows == 0)
		b->at[0] = 0;
	b->line[b->rows] = line;
	b->at[++b->rows] = b->used;
}

void
copy_clear(struct copy_buf *b)
{
	b->used = b->rows = 0;
}

void
copy_release(struct copy_buf *b)
{
	free(b->p);
	free(b->at);
	free(b->line);
	memset(b, 0, sizeof(*b));
}

/* ---- statements ---- */

void
script_add(struct script *s, const struct sql *q)
{
	if (s->n == (int)(sizeof(s->q) / sizeof(s->q[0])))
		failstop("import script too long");
	s->q[s->n++] = q;
}

static void
lost(struct link *l)
{
	const char *m = PQerrorMessage(l->pg);
	size_t n = strcspn(m, "\n");

	if (l->im->why[0] == '\0')
		snprintf(l->im->why, sizeof(l->im->why), "the connection to the database was lost: %.*s", (int)(n < 200 ? n : 200), m);
}

/* Wait for the socket.  false: no progress for too long, or lost. */
static bool
wait_socket(struct link *l, short events)
{
	struct pollfd p = { PQsocket(l->pg), events, 0 };
	int rc;

	while ((rc = poll(&p, 1, IMPORT_STALL_MS)) < 0 && errno == EINTR)
		;
	if (rc <= 0) {
		snprintf(l->im->why, sizeof(l->im->why), "the database did not answer for %d minutes", IMPORT_STALL_MS / 60000);
		return false;
	}
	if ((p.revents & ~POLLOUT) != 0 && !PQconsumeInput(l->pg)) {
		lost(l);
		return false;
	}
	return true;
}

static bool
flush(struct link *l)
{
	int todo;

	while ((todo = PQflush(l->pg)) > 0) {
		if (!wait_socket(l, POLLIN | POLLOUT))
			return false;
	}
	if (todo < 0)
		lost(l);
	return todo == 0;
}

bool
pg_send(struct link *l, const struct script *s)
{
	char *text;
	size_t n = 1;
	int i;
	bool ok;

	for (i = 0; i < s->n; i++)
		n += strlen(s->q[i]->text) + 2;
	if ((text = malloc(n)) == NULL)
		failstop("out of memory");
	for (n = 0, i = 0; i < s->n; i++) {
		size_t k = strlen(s->q[i]->text);

		memcpy(text + n, s->q[i]->text, k);
		memcpy(text + n + k, ";\n", 3);
		n += k + 2;
	}
	ok = PQsendQuery(l->pg, text) == 1 && flush(l);
	free(text);
	if (!ok)
		lost(l);
	return ok;
}

static PGresult *
next_result(struct link *l, bool *ok)
{
	while (PQisBusy(l->pg)) {
		if (!wait_socket(l, POLLIN)) {
			*ok = false;
			return NULL;
		}
	}
	return PQgetResult(l->pg);
}

/* Class 22 and 23 are about values; 40 and 55P03 about others working at the same time. */
static enum pg_end
sort_out(struct link *l, const char *name, const PGresult *r, char *message, size_t messagesz)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE), *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL || text == NULL) {
		lost(l);
		return PG_FAILED;
	}
	snprintf(message, messagesz, "%s", text);
	if (strncmp(state, "22", 2) == 0 || (strncmp(state, "23", 2) == 0 && strcmp(state, "23505") != 0) || strcmp(state, "SK400") == 0 ||
	    strcmp(state, "54000") == 0)
		return PG_DATA;
	if (strncmp(state, "40", 2) == 0 || strcmp(state, "55P03") == 0 || strcmp(state, "23505") == 0)
		return PG_AGAIN;
	if (strcmp(state, "42P01") == 0 || strcmp(state, "42883") == 0 || strcmp(state, "3F000") == 0 || strcmp(state, "42703") == 0)
		snprintf(l->im->why, sizeof(l->im->why), "%s (%s, in %s): has souk migrate been run?", text, state, name);
	else
		snprintf(l->im->why, sizeof(l->im->why), "%s (%s, in %s)", text, state, name);
	return PG_FAILED;
}

enum pg_end
pg_wait(struct link *l, const struct script *s, PGresult **results, char *message, size_t messagesz)
{
	enum pg_end end = PG_OK;
	PGresult *r;
	int i = 0;
	bool ok = true;

	for (int k = 0; k < s->n; k++)
		results[k] = NULL;
	while ((r = next_result(l, &ok)) != NULL) {
		ExecStatusType st = PQresultStatus(r);

		if (st != PGRES_TUPLES_OK && st != PGRES_COMMAND_OK && end == PG_OK)
			end = sort_out(l, i < s->n ? s->q[i]->name : "import", r, message, messagesz);
		if (end == PG_OK && i < s->n)
			results[i++] = r;
		else
			PQclear(r);
		if (PQstatus(l->pg) == CONNECTION_BAD)
			ok = false;
		if (!ok)
			break;
	}
	if (!ok)
		lost(l);
	return ok ? end : PG_FAILED;
}

enum pg_end
pg_run_with(struct link *l, const struct sql *q, int n, const char *const *v, PGresult **out, char *message, size_t messagesz)
{
	struct script s = { { q }, 1 };
	PGresult *r = NULL;
	enum pg_end end;

	if (!PQsendQueryParams(l->pg, q->text, n, NULL, v, NULL, NULL, 0) || !flush(l)) {
		lost(l);
		return PG_FAILED;
	}
	end = pg_wait(l, &s, &r, message, messagesz);
	if (out != NULL)
		*out = r;
	else
		PQclear(r);
	return end;
}

enum pg_end
pg_run(struct link *l, const struct sql *q, PGresult **out)
{
	char message[256];
	enum pg_end end = pg_run_with(l, q, 0, NULL, out, message, sizeof(message));

	if (end == PG_DATA || end == PG_AGAIN)
		snprintf(l->im->why, sizeof(l->im->why), "%s (in %s)", message, q->name);
	return end;
}

/* Hand the bytes to libpq in portions, so that it never holds much of a batch. */
static bool
put(struct link *l, const char *p, size_t n)
{
	while (n > 0) {
		int part = n > 262144 ? 262144 : (int)n, rc = PQputCopyData(l->pg, p, part);

		if (rc < 0) {
			lost(l);
			return false;
		}
		if (rc > 0) {
			p += part;
			n -= (size_t)part;
		}
		if (!flush(l))
			return false;
	}
	return true;
}

enum pg_end
pg_copy(struct link *l, const struct sql *q, const struct copy_buf *b, size_t from, size_t to, char *message, size_t messagesz)
{
	enum pg_end end = PG_OK;
	PGresult *r;
	bool ok = true;
	int rc;

	if (!PQsendQuery(l->pg, q->text) || !flush(l)) {
		lost(l);
		return PG_FAILED;
	}
	if ((r = next_result(l, &ok)) == NULL || PQresultStatus(r) != PGRES_COPY_IN) {
		end = r != NULL ? sort_out(l, q->name, r, message, messagesz) : PG_FAILED;
		PQclear(r);
		while (ok && (r = next_result(l, &ok)) != NULL)
			PQclear(r);
		return ok ? end : PG_FAILED;
	}
	PQclear(r);
	if (to > from && !put(l, b->p + b->at[from], b->at[to] - b->at[from]))
		return PG_FAILED;
	while ((rc = PQputCopyEnd(l->pg, NULL)) == 0) {
		if (!flush(l))
			return PG_FAILED;
	}
	if (rc < 0 || !flush(l)) {
		lost(l);
		return PG_FAILED;
	}
	while (ok && (r = next_result(l, &ok)) != NULL) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK && end == PG_OK)
			end = sort_out(l, q->name, r, message, messagesz);
		PQclear(r);
	}
	if (!ok)
		lost(l);
	return ok ? end : PG_FAILED;
}

int64_t
pg_number(const PGresult *r, int row, int column)
{
	return r != NULL && row < PQntuples(r) ? strtoll(PQgetvalue(r, row, column), NULL, 10) : 0;
}
