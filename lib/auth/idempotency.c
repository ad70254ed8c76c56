/* Idempotency keys; see idempotency.h.  The row and the effect commit together, so a row that is seen is complete. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/idempotency.h"
#include "auth/subject.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"

#define KEY_MAX 255

enum err
idem_check(struct ctx *c, const char *key)
{
	size_t n = strnlen(key, KEY_MAX + 1);

	if (n == 0 || n > KEY_MAX)
		return fail(c, E_INVALID, "Idempotency-Key: 1 to %d characters", KEY_MAX);
	for (size_t i = 0; i < n; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			return fail(c, E_INVALID, "Idempotency-Key: only visible ASCII characters");
	return E_OK;
}

/* Known by a log-in, a basket's handle or an order's: nobody else has this principal, or these make another request of it. */
static bool
can_be_told_apart(const struct subject *s)
{
	return subject_known(s) || (s->visitor != NULL && s->visitor[0] != '\0');
}

static void
hash_text(crypto_generichash_state *st, const char *text)
{
	if (text == NULL)
		text = "";
	(void)crypto_generichash_update(st, (const unsigned char *)text, strlen(text) + 1);
}

/*
 * What makes two requests the same: name, basket and order that they speak for, text; each but the last ended by NUL.  Baskets and orders come by handles,
 * which are no longer among the arguments, and the principal of a visitor is an address that many may share.
 */
static void
request_hash(const struct subject *s, const char *name, const char *request, size_t n, char hex[crypto_generichash_BYTES * 2 + 1])
{
	unsigned char hash[crypto_generichash_BYTES];
	crypto_generichash_state st;

	(void)crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	hash_text(&st, name);
	hash_text(&st, s->visitor);
	hash_text(&st, s->order_id);
	(void)crypto_generichash_update(&st, (const unsigned char *)request, n);
	(void)crypto_generichash_final(&st, hash, sizeof(hash));
	(void)sodium_bin2hex(hex, sizeof(hash) * 2 + 1, hash, sizeof(hash));
}

/* The finished row of a key that is taken.  *found is false when it went away in between. */
static enum err
replay(struct ctx *c, const char *principal, const char *key, const char *hash, struct idem_reply *out, bool *found)
{
	const char *v[2] = { principal, key };
	PGresult *r;
	enum err e = db_exec(c, &sql_idempotency_find, 2, v, &r);

	*found = e == E_OK && PQntuples(r) > 0;
	if (!*found)
		return e;
	if (strcmp(PQgetvalue(r, 0, 0), hash) != 0)
		return fail(c, E_KEY_REUSED, NULL);
	if (PQgetisnull(r, 0, 1) || PQgetisnull(r, 0, 2)) {
		log_event(LOG_ERROR_, c, "idempotency key without its answer");
		return fail(c, E_CONFLICT, NULL);
	}
	out->replayed = true;
	out->status = (int)strtol(PQgetvalue(r, 0, 1), NULL, 10);
	out->body = PQgetvalue(r, 0, 2);
	out->n = (size_t)PQgetlength(r, 0, 2);
	return E_OK;
}

enum err
idem_claim(struct ctx *c, const struct subject *s, const char *key, const char *name, const char *request, size_t n,
	struct idem_reply *out)
{
	char hash[crypto_generichash_BYTES * 2 + 1];
	const char *v[3] = { s->principal, key, hash };
	const char *claimed;
	size_t len;
	bool found;
	enum err e;

	*out = (struct idem_reply){ 0 };
	if ((e = idem_check(c, key)) != E_OK)
		return e;
	if (!can_be_told_apart(s) && strlen(key) < KEY_ANONYMOUS_MIN)
		return fail(c, E_INVALID, "Idempotency-Key: without a log-in or a handle it must have %d characters or more, and be a random one such as a UUID",
			KEY_ANONYMOUS_MIN);
	request_hash(s, name, request, n, hash);
	/* a second time only when housekeeping removed the old row between the two statements */
	for (int tries = 0; tries < 2; tries++) {
		e = db_text(c, &sql_idempotency_begin, 3, v, &claimed, &len);
		if (e != E_OK || claimed != NULL)
			break;
		e = replay(c, s->principal, key, hash, out, &found);
		if (e != E_OK || found)
			return e;
		e = E_CONFLICT;
	}
	if (e == E_CONFLICT) {
		(void)fail(c, e, NULL);
		c->message = "a request with this Idempotency-Key is still running";
	}
	return e;
}

enum err
idem_store(struct ctx *c, const struct subject *s, const char *key, int status, const char *body, size_t n)
{
	char number[16];
	const char *v[4] = { s->principal, key, number, arena_strndup(c->a, body, n) };
	PGresult *r;

	(void)snprintf(number, sizeof(number), "%d", status);
	return db_exec(c, &sql_idempotency_finish, 4, v, &r);
}
