/* Handles that stand for a log-in; see handle.h. */
#include "auth/handle.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/shm.h"

#define NONCE_LEN 6
#define HASH_LEN 32
#define LONGEST_S (31 * 86400)	/* no handle lasts longer: see CUSTOMER_SESSION_S */

static void
hash_of(const char *text, char hex[2 * HASH_LEN + 1])
{
	unsigned char hash[HASH_LEN];

	(void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
	sodium_bin2hex(hex, 2 * HASH_LEN + 1, hash, sizeof(hash));
}

enum err
handle_make(struct ctx *c, const char *kind, const char *id, int64_t keep_s, char out[SIGNED_MAX])
{
	char nonce[NONCE_LEN + 1];

	random_base62(nonce, NONCE_LEN);
	return signed_make(c, kind, arena_printf(c->a, "%s.%s", id, nonce), wall_ms() / 1000 + keep_s, out);
}

enum err
handle_check(struct ctx *c, const char *kind, const char *text, const char **id)
{
	char hex[2 * HASH_LEN + 1];
	const char *v[2] = { hex, NULL }, *still;
	size_t n;

	if (signed_check(c, kind, text, id))
		return c->err;
	*id = arena_strndup(c->a, *id, strcspn(*id, "."));
	hash_of(text, hex);
	if (strcmp(kind, "cst") == 0)
		v[1] = *id;
	if (db_call(c, DB_READ, NULL, &sql_handle_find, 2, v, &still, &n))
		return c->err;
	return still != NULL ? E_OK : fail(c, E_UNAUTHENTICATED, NULL);
}

enum err
handle_end(struct ctx *c, const char *text)
{
	char hex[2 * HASH_LEN + 1], until[24];
	const char *v[2] = { hex, until }, *done;
	int64_t end = wall_ms() / 1000 + LONGEST_S;
	size_t n;

	hash_of(text, hex);
	(void)snprintf(until, sizeof(until), "%lld", (long long)end);
	if (db_call(c, DB_WRITE, NULL, &sql_handle_end, 2, v, &done, &n))
		return c->err;
	shm_bump(SHM_TOKENS);	/* streams that were opened with it look again */
	return E_OK;
}
