/*
 * Small shared values that may be lost: conversation cache, locks, request cache, counters.  On Redis when REDIS_URL is set and answers,
 * else on PostgreSQL (table souk.kv): slower but complete.  Keys are at most 200 bytes of [A-Za-z0-9:_.{}-], values at most 1 MiB.
 */
#ifndef SOUK_STORE_KV_H
#define SOUK_STORE_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"

/* *out is NULL when the key is absent or expired; else NUL-terminated in the arena. */
enum err kv_get(struct ctx *c, const char *key, const char **out, size_t *outsz) __attribute__((warn_unused_result));
/* kv_get() that asks Redis alone, for while PostgreSQL is at work; NULL also when there is none. */
const char *kv_peek(struct ctx *c, const char *key);
/* only_new: set only if absent; *stored tells (may be NULL). ttl_s >= 1. */
enum err kv_set(struct ctx *c, const char *key, const char *val, size_t valsz, int64_t ttl_s, bool only_new, bool *stored)
	__attribute__((warn_unused_result));
enum err kv_del(struct ctx *c, const char *key) __attribute__((warn_unused_result));
/* Count a hit in a fixed window, exactly, on all hosts that share the store; semantics of shm_rate(). */
enum err kv_rate(struct ctx *c, const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *count, int64_t *reset_s)
	__attribute__((warn_unused_result));

/* Which store answers now: "redis" or "postgresql"; for status and metrics. */
const char *kv_backend(void);
/* Round trip to Redis in microseconds, -1 when not configured, -2 when configured and down. */
int64_t kv_redis_ping_us(struct ctx *c);
void kv_close_idle(int64_t idle_ms);
void kv_forget(void);		/* after fork() */

#endif
