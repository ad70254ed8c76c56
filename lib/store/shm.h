/*
 * Shared memory of all souk processes of one installation: the file STATE_DIR/souk.shm, mapped by each.  It holds circuit
 * breakers, rate counters, metrics and generation counters; all of it may be lost.  Only atomics, no locks, so a killed process
 * leaves nothing locked.  A file of another layout version or size is replaced by a new one (created beside, renamed).
 * Without a usable STATE_DIR a private anonymous mapping serves, with a warning in the log: limits then hold per process.
 */
#ifndef SOUK_STORE_SHM_H
#define SOUK_STORE_SHM_H

#include <stdbool.h>
#include <stdint.h>

/* Map it.  Call after cfg_load, before the first request; forked children inherit it.  Idempotent. */
void shm_open_state(void);

/* Is the mapping shared between processes (false: private fallback)? */
bool shm_is_shared(void);

/* Count one hit on key in the current fixed window of window_s seconds, aligned to the monotonic clock at the key's first hit.
   Exact under concurrency.  Returns the number of hits including this one, capped just above limit (refused hits do not count on); *reset_s is
   the time until the window ends, 1..window_s.  hit=false only looks.  Limits up to 1,000,000, windows up to a day; limit 0 refuses all. */
int64_t shm_rate(const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *reset_s);

/* Generation counters, for caches of any process: bumped after a commit that changes tokens or settings. */
enum shm_generation { SHM_TOKENS, SHM_SETTINGS, SHM_TOOLS, SHM__GENERATIONS };
uint64_t shm_generation(enum shm_generation g);
void shm_bump(enum shm_generation g);

/*
 * Notes that one process leaves for another, which looks for them: "this request was given up".  A note may be lost when many are left at a time.
 * since_ms: in now_ms(), only what was left later counts.
 */
void shm_note(const char *key);
bool shm_noted(const char *key, int64_t since_ms);

/* Circuit breaker. */
enum breaker { BREAKER_POSTGRESQL, BREAKER_REDIS, BREAKER_HTTP, BREAKER__MAX };
/* May the dependency be called now?  Open after 5 failures in 10 s without a success between them (a
   dependency that answers is not down), refuses for 1 s (doubling to 5 s), then lets one probe through.  Every call that breaker_allows() let
   through is told by breaker_ok() or breaker_failed(). */
bool breaker_allows(enum breaker b);
void breaker_ok(enum breaker b);
void breaker_failed(enum breaker b);
/* breaker_failed() of a dependency that is known to be down, not only to have failed: it opens at once. */
void breaker_open(enum breaker b);
const char *breaker_state(enum breaker b);	/* "closed", "open", "half-open" */
/* The breaker of an HTTP host and its port ("host:443").  There are 256, so now and then two share one. */
enum breaker breaker_of_host(const char *host);
/* How many hosts' breakers are not closed. */
int breaker_hosts_open(void);

#endif
