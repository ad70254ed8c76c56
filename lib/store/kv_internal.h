/* The two stores behind kv.h.  Nobody but kv*.c includes this. */
#ifndef SOUK_STORE_KV_INTERNAL_H
#define SOUK_STORE_KV_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"

#define KV_KEY_MAX 200
#define KV_VALUE_MAX (1u << 20)

/*
 * Redis.  All return false when Redis did not answer (not configured, breaker open, time-out, error); that is logged but not noted in
 * c, since PostgreSQL is asked next.
 */
bool kv_redis_configured(void);
bool kv_redis_get(struct ctx *c, const char *key, const char **out, size_t *outsz);
bool kv_redis_set(struct ctx *c, const char *key, const char *val, size_t valsz, int64_t ttl_s, bool only_new, bool *stored);
bool kv_redis_del(struct ctx *c, const char *key);
bool kv_redis_rate(struct ctx *c, const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *count, int64_t *reset_s);
void kv_redis_close_idle(int64_t idle_ms);
void kv_redis_forget(void);

/* PostgreSQL.  Inside a transaction that only reads nothing is written: set stores nothing, del does nothing, rate gives E_UNAVAILABLE. */
enum err kv_pg_get(struct ctx *c, const char *key, const char **out, size_t *outsz);
enum err kv_pg_set(struct ctx *c, const char *key, const char *val, size_t valsz, int64_t ttl_s, bool only_new, bool *stored);
enum err kv_pg_del(struct ctx *c, const char *key);
enum err kv_pg_rate(struct ctx *c, const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *count, int64_t *reset_s);

#endif
