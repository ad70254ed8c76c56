/* Logging in people of the shop; see staff.h. */
#include "auth/staff.h"

#include <ctype.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/password.h"
#include "auth/signed.h"
#include "auth/throttle.h"
#include "auth/totp.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/log.h"
#include "gen/sql.h"
#include "ops/metrics.h"
#include "store/db.h"

#define EVEN_MS 250		/* above the time of hashing with the default costs */

static enum err
refuse(struct ctx *c, const char *reason)
{
	metrics_count("souk_auth_failures_total", "reason", "login");
	log_event(LOG_INFO_, c, "log-in refused", LOG_S("reason", reason));
	return fail(c, E_UNAUTHENTICATED, NULL);
}

static void
hash_anew(struct ctx *c, const char *id, const char *old, const char *password)
{
	char hash[PASSWORD_HASH_MAX];
	const char *v[3] = { id, hash, old };
	PGresult *r;

	if (!password_is_old(old))
		return;
	if (password_hash(c, password, hash) != E_OK || db_rows(c, DB_WRITE, NULL, &sql_staff_rehash, 3, v, &r) != E_OK)
		ctx_clear_error(c);
}

static enum err
first_step(struct ctx *c, const char *email, const char *password, const char **id, bool *second)
{
	const char *v[1] = { email }, *hash = NULL;
	PGresult *r;

	if (db_rows(c, DB_WRITE, NULL, &sql_staff_find, 1, v, &r))
		return c->err;
	if (PQntuples(r) > 0)
		hash = PQgetvalue(r, 0, 1);
	if (!password_verify(hash, password))
		return refuse(c, hash == NULL ? "account" : "password");
	*id = PQgetvalue(r, 0, 0);
	*second = !PQgetisnull(r, 0, 2);
	hash_anew(c, *id, hash, password);
	return E_OK;
}

enum err
staff_login(struct ctx *c, const char *email, const char *password, const char *remote_ip, const char **id, bool *second)
{
	int64_t start = now_us();
	enum err e;

	*id = NULL;
	*second = false;
	if (throttle_address(c, "login", remote_ip) || throttle_hit(c, "login", "account", email))
		return c->err;
	e = first_step(c, email, password, id, second);
	throttle_even_out(start, EVEN_MS);
	return e;
}

bool
staff_recovery_hash(const char *id, const char *code, char hex[65])
{
	unsigned char key[32], hash[32];
	char plain[STAFF_RECOVERY_LEN + 1];
	crypto_generichash_state st;
	size_t n = 0;

	for (; *code != '\0'; code++) {
		if (*code == '-' || *code == ' ')
			continue;
		if (n == STAFF_RECOVERY_LEN || !isalnum((unsigned char)*code))
			return false;
		plain[n++] = (char)tolower((unsigned char)*code);
	}
	if (n != STAFF_RECOVERY_LEN || !signed_key("souk recovery codes v1", key))
		return false;
	(void)crypto_generichash_init(&st, key, sizeof(key), sizeof(hash));
	(void)crypto_generichash_update(&st, (const unsigned char *)id, strlen(id) + 1);
	(void)crypto_generichash_update(&st, (const unsigned char *)plain, n);
	(void)crypto_generichash_final(&st, hash, sizeof(hash));
	sodium_bin2hex(hex, 65, hash, sizeof(hash));
	return true;
}

/* The code of the app; used up when it is right. */
static enum err
try_totp(struct ctx *c, const char *id, const char *code)
{
	unsigned char key[TOTP_KEY_LEN];
	char step[24];
	const char *v[2] = { id, step };
	int64_t found;
	PGresult *r;

	if (db_rows(c, DB_WRITE, NULL, &sql_staff_by_id, 1, v, &r))
		return c->err;
	if (PQntuples(r) == 0 || PQgetisnull(r, 0, 0) || !totp_open(id, PQgetvalue(r, 0, 0), key))
		return refuse(c, "no second factor");
	found = totp_match(key, code, wall_ms() / 1000);
	sodium_memzero(key, sizeof(key));
	if (found == 0)
		return refuse(c, "code");
	(void)snprintf(step, sizeof(step), "%" PRId64, found);
	if (db_rows(c, DB_WRITE, NULL, &sql_staff_step, 2, v, &r))
		return c->err;
	return PQntuples(r) > 0 ? E_OK : refuse(c, "code was used");
}

static enum err
try_recovery(struct ctx *c, const char *id, const char *hex)
{
	const char *v[2] = { id, hex };
	PGresult *r;

	if (db_rows(c, DB_WRITE, NULL, &sql_staff_recover, 2, v, &r))
		return c->err;
	if (PQntuples(r) == 0)
		return refuse(c, "recovery code");
	log_event(LOG_WARN_, c, "logged in with a recovery code", LOG_S("staff", id));
	return E_OK;
}

enum err
staff_second(struct ctx *c, const char *id, const char *code, const char *remote_ip)
{
	char hex[65];

	if (throttle_address(c, "login", remote_ip) || throttle_hit(c, "login", "second", id))
		return c->err;
	return staff_recovery_hash(id, code, hex) ? try_recovery(c, id, hex) : try_totp(c, id, code);
}
