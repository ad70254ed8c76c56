/*
 * Checking tokens.  A token that was found valid is remembered in this process, so that most requests need no database.  What is
 * remembered holds as long as nothing changed: the shared generation (changes made on this host), the database's
 * notifications (changes made elsewhere), the token's own end, and CACHE_MS in any case.
 */
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/token_internal.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/ip.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/shm.h"

#define CACHE_SLOTS 64
#define CACHE_WAYS 4
#define CACHE_MS 60000
#define RECALL_MS 3600000	/* token_recall: how long ago the token may have been found valid */
#define BLOB_MAX 2560
#define KNOWN_ID_MAX 33
#define USED_EVERY_MS 60000	/* how often last_used_at is written */
#define USED_WRITE_MS 500	/* time for writing all of it */
#define USED_LATE_MS 120000	/* written on the caller's time when no idle moment came for so long */

/* What is known of a token.  All texts lie in blob, ended by NUL, so that a subject is one copy. */
struct known {
	char id[KNOWN_ID_MAX];		/* "" : free */
	unsigned char hash[TOKEN_HASH_LEN];
	int64_t expires_ms;		/* wall clock, 0: never */
	int64_t since_ms;		/* monotonic */
	uint64_t shm_generation;
	unsigned db_generation;
	uint16_t blobsz, nscopes;
	uint16_t token, name, kind, customer, rate_class, ip_allow, principal, audience, staff, scopes[SCOPES_MAX];
	char blob[BLOB_MAX];
};

static struct known cache[CACHE_SLOTS];

/* Tokens whose use is not yet written down. */
struct used {
	char id[TOKEN_ID_LEN + 1];
	bool waiting;
	int64_t since_ms;	/* waiting: of the use; else: written */
};
static struct used uses[CACHE_SLOTS];
static int uses_waiting;

static unsigned
slot_of(const char *id)
{
	unsigned h = 2166136261u;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return h % CACHE_SLOTS;
}

/* One answer for everything that can be wrong with a token; which it was is for the log. */
static enum err
refuse(struct ctx *c, const char *reason)
{
	log_event(LOG_INFO_, c, "token refused", LOG_S("reason", reason));
	return fail(c, E_UNAUTHENTICATED, NULL);
}

static struct known *
cache_find(const char *id)
{
	unsigned at = slot_of(id);

	for (unsigned i = 0; i < CACHE_WAYS; i++) {
		struct known *k = &cache[(at + i) % CACHE_SLOTS];

		if (strcmp(k->id, id) == 0)
			return k;
	}
	return NULL;
}

/* Behind a pooler no notification comes, so every request asks the database. */
static bool
is_current(const struct known *k)
{
	return cfg_bool("DB_PREPARED") && k->shm_generation == shm_generation(SHM_TOKENS) && k->db_generation == db_generation_tokens() &&
	    now_ms() - k->since_ms < CACHE_MS;
}

static void
cache_keep(const struct known *k)
{
	unsigned at = slot_of(k->id);
	struct known *to = cache_find(k->id);

	for (unsigned i = 0; to == NULL && i < CACHE_WAYS; i++)
		if (cache[(at + i) % CACHE_SLOTS].id[0] == '\0')
			to = &cache[(at + i) % CACHE_SLOTS];
	if (to == NULL) {
		to = &cache[at];
		for (unsigned i = 1; i < CACHE_WAYS; i++)
			if (cache[(at + i) % CACHE_SLOTS].since_ms < to->since_ms)
				to = &cache[(at + i) % CACHE_SLOTS];
	}
	memcpy(to, k, offsetof(struct known, blob) + k->blobsz);
}

/* Append a text to the blob; false when it does not fit. */
static bool
blob_add(struct known *k, const char *text, size_t n, uint16_t *at)
{
	if (n >= (size_t)(BLOB_MAX - k->blobsz))
		return false;
	*at = k->blobsz;
	memcpy(k->blob + k->blobsz, text, n);
	k->blob[k->blobsz + n] = '\0';
	k->blobsz = (uint16_t)(k->blobsz + n + 1);
	return true;
}

static bool
blob_add_scopes(struct known *k, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (n > 0 && (k->nscopes == SCOPES_MAX || !blob_add(k, text, n, &k->scopes[k->nscopes++])))
			return false;
		text += n + (text[n] == ' ');
	}
	return true;
}

/* Columns of token_find and oauth_service_find. */
enum {
	COL_NAME, COL_HASH, COL_SCOPES, COL_KIND, COL_CUSTOMER, COL_RATE, COL_IP, COL_EXPIRES, COL_REVOKED, COL_PRINCIPAL, COL_AUDIENCE, COL_STAFF,
	COL__N
};

static bool
known_from_row(struct known *k, const char *id, const PGresult *r)
{
	const struct {
		const char *text;
		uint16_t *at;
	} parts[] = {
		{ id, &k->token },
		{ PQgetvalue(r, 0, COL_PRINCIPAL), &k->principal },
		{ PQgetvalue(r, 0, COL_NAME), &k->name },
		{ PQgetvalue(r, 0, COL_KIND), &k->kind },
		{ PQgetvalue(r, 0, COL_CUSTOMER), &k->customer },
		{ PQgetvalue(r, 0, COL_RATE), &k->rate_class },
		{ PQgetvalue(r, 0, COL_IP), &k->ip_allow },
		{ PQgetvalue(r, 0, COL_AUDIENCE), &k->audience },
		{ PQgetvalue(r, 0, COL_STAFF), &k->staff },
	};
	const char *hash = PQgetvalue(r, 0, COL_HASH);
	size_t n;

	(void)snprintf(k->id, sizeof(k->id), "%s", id);
	k->expires_ms = strtoll(PQgetvalue(r, 0, COL_EXPIRES), NULL, 10);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!blob_add(k, parts[i].text, strlen(parts[i].text), parts[i].at))
			return false;
	return sodium_hex2bin(k->hash, sizeof(k->hash), hash, strlen(hash), NULL, &n, NULL) == 0 && n == sizeof(k->hash) &&
	    blob_add_scopes(k, PQgetvalue(r, 0, COL_SCOPES));
}

/* Ask the database.  The generations are read before, so that a change in between makes the entry old at once. */
static enum err
load(struct ctx *c, const struct sql *find, const char *id, struct known *k)
{
	const char *v[1] = { id };
	PGresult *r;
	enum err e;

	k->shm_generation = shm_generation(SHM_TOKENS);
	k->db_generation = db_generation_tokens();
	k->since_ms = now_ms();
	if ((e = db_exec(c, find, 1, v, &r)) != E_OK)
		return e;
	if (PQntuples(r) == 0)
		return refuse(c, "unknown");
	if (PQnfields(r) != COL__N || !known_from_row(k, id, r)) {
		log_event(LOG_ERROR_, c, "unusable row of a token", LOG_S("token", id));
		return refuse(c, "unusable");
	}
	return PQgetvalue(r, 0, COL_REVOKED)[0] == 't' ? refuse(c, "revoked") : E_OK;
}

static void
fill_subject(struct ctx *c, const struct known *k, struct subject *out)
{
	const char *blob = memcpy(arena_alloc(c->a, k->blobsz), k->blob, k->blobsz);

	*out = (struct subject){ .kind = blob + k->kind, .name = blob + k->name, .customer_id = blob + k->customer,
		.rate_class = blob + k->rate_class, .principal = blob + k->principal, .visitor = "", .order_id = "", .token_id = blob + k->token,
		.audience = blob + k->audience, .staff_id = blob + k->staff };
	for (size_t i = 0; i < k->nscopes; i++)
		out->scopes[i] = blob + k->scopes[i];
}

/* Remember that the token was used; writing it down waits for an idle moment. */
static void
note_use(const char *id)
{
	struct used *u = &uses[slot_of(id)];
	int64_t now = now_ms();
	bool same = strcmp(u->id, id) == 0;

	if (same && u->waiting) {
		if (now - u->since_ms >= USED_LATE_MS)
			token_flush_uses();
		return;
	}
	if (same && now - u->since_ms < USED_EVERY_MS)
		return;
	if (!u->waiting)
		uses_waiting++;
	memcpy(u->id, id, sizeof(u->id));
	u->waiting = true;
	u->since_ms = now;
}

/* A failure only costs a minute of last_used_at. */
void
token_flush_uses(void)
{
	struct arena a;
	struct ctx c = { .a = &a, .deadline_ms = now_ms() + USED_WRITE_MS };
	enum err e = E_OK;

	if (uses_waiting == 0 || !db_may_write())
		return;
	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		const char *v[1] = { uses[i].id };
		PGresult *r;

		if (!uses[i].waiting)
			continue;
		if (e == E_OK)
			e = db_write(&c, &sql_token_touch, 1, v, &r);
		uses[i].waiting = false;
		uses[i].since_ms = now_ms();
	}
	uses_waiting = 0;
	arena_release(&a);
}

/* The database cannot be asked.  What was known an hour ago at most still serves, unless a token was revoked on this host since. */
static bool
may_recall(const struct known *k)
{
	return k != NULL && k->shm_generation == shm_generation(SHM_TOKENS) && now_ms() - k->since_ms < RECALL_MS;
}

enum err
token_subject(struct ctx *c, const struct sql *find, const char *id, const unsigned char *hash, const char *remote_ip, bool recall, struct subject *out)
{
	static struct known fresh;	/* large, and one call at a time */
	struct known *k;
	enum err e;

	db_poll_notifications();
	k = cache_find(id);
	if (k == NULL || !is_current(k)) {
		memset(&fresh, 0, sizeof(fresh));
		e = load(c, find, id, &fresh);
		if (e != E_OK && !(e == E_UNAVAILABLE && recall && may_recall(k)))
			return e;
		if (e == E_OK)
			k = &fresh;
		else
			ctx_clear_error(c);
	}
	if (hash != NULL && sodium_memcmp(hash, k->hash, sizeof(k->hash)) != 0)
		return refuse(c, "secret");
	if (k->expires_ms != 0 && wall_ms() >= k->expires_ms)
		return refuse(c, "expired");
	if (k == &fresh)
		cache_keep(k);
	if (k->blob[k->ip_allow] != '\0' && (remote_ip == NULL || !ip_in_list(remote_ip, k->blob + k->ip_allow)))
		return refuse(c, "address");
	fill_subject(c, k, out);
	return E_OK;
}

static enum err
check(struct ctx *c, const char *text, const char *remote_ip, bool recall, struct subject *out)
{
	unsigned char hash[TOKEN_HASH_LEN];
	char id[TOKEN_ID_LEN + 1];
	const char *secret;
	enum err e;

	if (!token_parse(text, id, &secret))
		return refuse(c, "malformed");
	if (!token_hash(secret, hash)) {
		log_event(LOG_ERROR_, c, "TOKEN_PEPPER is not set: no token can be checked");
		return refuse(c, "no pepper");
	}
	if ((e = token_subject(c, &sql_token_find, id, hash, remote_ip, recall, out)) != E_OK)
		return e;
	note_use(id);
	return E_OK;
}

enum err
token_verify(struct ctx *c, const char *text, const char *remote_ip, struct subject *out)
{
	return check(c, text, remote_ip, false, out);
}

enum err
token_recall(struct ctx *c, const char *text, const char *remote_ip, struct subject *out)
{
	return check(c, text, remote_ip, true, out);
}
