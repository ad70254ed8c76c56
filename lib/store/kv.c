/*
 * Which store answers.  Redis is asked first when it is configured; when it does not answer, PostgreSQL serves this one call.
 * What was written to one store is not in the other: after a failure of Redis values are missing and counters start again, which is what
 * kv.h allows ("may be lost").
 */
#include <string.h>

#include "core/log.h"
#include "store/kv.h"
#include "store/kv_internal.h"
#include "store/shm.h"

static enum err
check(struct ctx *c, const char *key, size_t valsz)
{
	size_t n = strlen(key);

	if (n > 0 && n <= KV_KEY_MAX && valsz <= KV_VALUE_MAX &&
	    strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.{}-") == n)
		return E_OK;
	log_event(LOG_ERROR_, c, "unusable key or value for the key-value store", LOG_I("key_bytes", n), LOG_I("value_bytes", valsz));
	return fail(c, E_INTERNAL, NULL);
}

enum err
kv_get(struct ctx *c, const char *key, const char **out, size_t *outsz)
{
	enum err e = check(c, key, 0);

	*out = NULL;
	*outsz = 0;
	if (e != E_OK || kv_redis_get(c, key, out, outsz))
		return e;
	return kv_pg_get(c, key, out, outsz);
}

const char *
kv_peek(struct ctx *c, const char *key)
{
	const char *value = NULL;
	size_t n;

	return check(c, key, 0) == E_OK && kv_redis_get(c, key, &value, &n) ? value : NULL;
}

enum err
kv_set(struct ctx *c, const char *key, const char *val, size_t valsz, int64_t ttl_s, bool only_new, bool *stored)
{
	enum err e = check(c, key, valsz);
	bool ignored;

	if (stored == NULL)
		stored = &ignored;
	*stored = false;
	if (ttl_s < 1)
		ttl_s = 1;
	if (e != E_OK || kv_redis_set(c, key, val, valsz, ttl_s, only_new, stored))
		return e;
	return kv_pg_set(c, key, val, valsz, ttl_s, only_new, stored);
}

enum err
kv_del(struct ctx *c, const char *key)
{
	enum err e = check(c, key, 0);

	if (e != E_OK || kv_redis_del(c, key))
		return e;
	return kv_pg_del(c, key);
}

enum err
kv_rate(struct ctx *c, const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *count, int64_t *reset_s)
{
	enum err e = check(c, key, 0);

	*count = 0;
	*reset_s = window_s;
	if (e != E_OK || kv_redis_rate(c, key, limit, window_s, hit, count, reset_s))
		return e;
	return kv_pg_rate(c, key, limit, window_s, hit, count, reset_s);
}

const char *
kv_backend(void)
{
	return kv_redis_configured() && strcmp(breaker_state(BREAKER_REDIS), "open") != 0 ? "redis" : "postgresql";
}

void
kv_close_idle(int64_t idle_ms)
{
	kv_redis_close_idle(idle_ms);
}

void
kv_forget(void)
{
	kv_redis_forget();
}
