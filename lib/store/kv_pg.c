/* The key-value store in PostgreSQL: tables souk.kv and souk.rate_counters, both unlogged.  Values travel as hexadecimal text. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/kv_internal.h"

enum err
kv_pg_get(struct ctx *c, const char *key, const char **out, size_t *outsz)
{
	const char *v[1] = { key }, *hex;
	size_t n, k;
	char *bin;
	enum err e = db_text(c, &sql_kv_get, 1, v, &hex, &n);

	if (e != E_OK || hex == NULL)
		return e;
	bin = arena_alloc(c->a, n / 2 + 1);
	if (sodium_hex2bin((unsigned char *)bin, n / 2, hex, n, NULL, &k, NULL) != 0) {
		log_event(LOG_ERROR_, c, "unreadable value in souk.kv");
		return fail(c, E_INTERNAL, NULL);
	}
	bin[k] = '\0';
	*out = bin;
	*outsz = k;
	return E_OK;
}

enum err
kv_pg_set(struct ctx *c, const char *key, const char *val, size_t valsz, int64_t ttl_s, bool only_new, bool *stored)
{
	char ttl[24], *hex;
	const char *v[3] = { key, NULL, ttl };
	PGresult *r;
	enum err e;

	if (!db_may_write())
		return E_OK;
	hex = arena_alloc(c->a, valsz * 2 + 1);
	v[1] = sodium_bin2hex(hex, valsz * 2 + 1, (const unsigned char *)val, valsz);
	(void)snprintf(ttl, sizeof(ttl), "%" PRId64, ttl_s);
	e = db_write(c, only_new ? &sql_kv_set_new : &sql_kv_set, 3, v, &r);
	*stored = e == E_OK && PQntuples(r) > 0;
	return e;
}

enum err
kv_pg_del(struct ctx *c, const char *key)
{
	const char *v[1] = { key };
	PGresult *r;

	if (!db_may_write())
		return E_OK;
	return db_write(c, &sql_kv_del, 1, v, &r);
}

enum err
kv_pg_rate(struct ctx *c, const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *count, int64_t *reset_s)
{
	char lim[24], win[24];
	const char *v[3] = { key, lim, win };
	PGresult *r;
	enum err e;

	if (hit && !db_may_write())
		return fail(c, E_UNAVAILABLE, NULL);
	(void)snprintf(lim, sizeof(lim), "%" PRId64, limit);
	(void)snprintf(win, sizeof(win), "%" PRId64, window_s);
	e = hit ? db_write(c, &sql_kv_incr_window, 3, v, &r) : db_exec(c, &sql_kv_peek_window, 1, v, &r);
	if (e != E_OK || PQntuples(r) == 0)
		return e;
	*count = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	*reset_s = strtoll(PQgetvalue(r, 0, 1), NULL, 10);
	return E_OK;
}
