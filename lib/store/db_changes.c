/* Changes of the shop's data as they are told on channel souk_changes, for the few processes that listen to it. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "gen/sql.h"
#include "store/db_internal.h"

#define WAITING_MAX 64
#define CHANGE_MAX 300

static struct {
	bool wanted;
	PGconn *on;			/* the connection that listens */
	bool missed;			/* more came than fits, or the connection was lost */
	unsigned first, n;
	char text[WAITING_MAX][CHANGE_MAX];
} changes;

void
db_changes_note(const char *text)
{
	if (!changes.wanted)
		return;
	if (changes.n == WAITING_MAX || strlen(text) >= CHANGE_MAX) {
		changes.missed = true;
		return;
	}
	(void)snprintf(changes.text[(changes.first + changes.n++) % WAITING_MAX], CHANGE_MAX, "%s", text);
}

/* Listen on the connection that is open now. */
static enum err
listen_now(struct ctx *c)
{
	PGresult *r;
	enum err e;

	if (db.pg != NULL && db.pg == changes.on)
		return E_OK;
	changes.on = NULL;
	e = db_exec(c, &sql_changes_listen, 0, NULL, &r);
	if (e == E_OK)
		changes.on = db.pg;
	return e;
}

enum err
db_changes_begin(struct ctx *c)
{
	changes.wanted = true;
	changes.missed = false;
	changes.n = 0;
	changes.on = NULL;
	return listen_now(c);
}

void
db_changes_end(struct ctx *c)
{
	PGresult *r;

	changes.wanted = false;
	changes.n = 0;
	if (db.pg != NULL && db.pg == changes.on && db_exec(c, &sql_changes_unlisten, 0, NULL, &r) != E_OK)
		db_drop();
	changes.on = NULL;
}

enum err
db_changes_wait(struct ctx *c, int ms, char *out, size_t outsz, bool *missed)
{
	enum err e = E_OK;

	*out = '\0';
	if (changes.n == 0) {
		if (db.pg == NULL || db.pg != changes.on) {
			changes.missed = true;
			e = listen_now(c);
		}
		if (e == E_OK) {
			struct pollfd p = { PQsocket(db.pg), POLLIN, 0 };

			if (poll(&p, 1, ms) > 0)
				db_poll_notifications();
			db.used_ms = now_ms();
		}
	}
	if (changes.n > 0) {
		(void)snprintf(out, outsz, "%s", changes.text[changes.first]);
		changes.first = (changes.first + 1) % WAITING_MAX;
		changes.n--;
	}
	*missed = changes.missed && e == E_OK;
	if (*missed)
		changes.missed = false;
	return e;
}

enum err
db_changes_tell(struct ctx *c, const char *what)
{
	PGresult *r;

	return db_exec(c, &sql_changes_tell, 1, &what, &r);
}
