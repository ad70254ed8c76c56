/*
 * Layout of the shared mapping, for the files that own a part of it: shm.c, shm_rate.c, breaker.c, ops/metrics.c.  Everything is valid
 * when zero, and every word that processes share is a lock-free atomic, so that a process killed at any instruction leaves a
 * usable table.  A change of the layout needs a new SHM_VERSION.
 */
#ifndef SOUK_STORE_SHM_MAP_H
#define SOUK_STORE_SHM_MAP_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/banned.h"

#define SHM_MAGIC 0x316d68736b756f73ULL	/* "soukshm1" */
#define SHM_VERSION 3u

#define SHM_BREAKERS 16u		/* of enum breaker */
#define SHM_HOSTS 256u		/* breakers of HTTP hosts, by hash */
#define SHM_RATE_SLOTS 32768u	/* power of two */
#define SHM_BUCKET 16u		/* slots in which a key may live */
#define SHM_PROCESSES 256u
#define SHM_COUNTERS 2048u	/* power of two */
#define SHM_HISTOGRAMS 512u	/* power of two */
#define SHM_NOTES 256u		/* power of two */
#define SHM_SERIES_TEXT 168	/* name{label="value",...} and its NUL */
#define SHM_BUCKETS 14		/* of a histogram, the last unbounded */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared words need lock-free atomics");

struct shm_head {
	uint64_t magic;
	uint32_t version, size;
	char boot[40];			/* monotonic times of an earlier boot mean nothing */
	unsigned char hash_key[16];	/* of SipHash, so that nobody outside can aim at a slot */
};

/* See shm_rate.c. */
struct shm_rate_slot {
	_Atomic uint64_t key, state;
};

/* A note: the hash of its key, and when it was left. */
struct shm_note {
	_Atomic uint64_t key;
	_Atomic int64_t left_ms;
};

/* Requests in flight of a process: process id in the upper half, their number in the lower. */
struct shm_process {
	_Atomic uint64_t pid_count;
};

/* A metrics series.  key is claimed once and never changes; then the text is written, by anyone who finds it missing. */
struct shm_series {
	_Atomic uint64_t key;		/* hash of text, 0: free */
	_Atomic uint32_t ready;		/* text is complete */
	char text[SHM_SERIES_TEXT];
};

struct shm_counter {
	struct shm_series series;
	_Atomic uint64_t value;
};

struct shm_histogram {
	struct shm_series series;
	_Atomic uint64_t sum_us, buckets[SHM_BUCKETS];
};

struct shm {
	struct shm_head head;
	_Atomic uint64_t generations[16];
	_Atomic uint64_t breakers[SHM_BREAKERS + SHM_HOSTS];
	_Atomic uint64_t dropped;	/* metrics for which there was no room */
	struct shm_process processes[SHM_PROCESSES];
	struct shm_note notes[SHM_NOTES];
	struct shm_rate_slot rate[SHM_RATE_SLOTS];
	struct shm_counter counters[SHM_COUNTERS];
	struct shm_histogram histograms[SHM_HISTOGRAMS];
};

/* The mapping; made on first use.  Never NULL. */
struct shm *shm_map(void);

/* Keyed 64-bit hash of n bytes, never 0. */
uint64_t shm_hash(const void *p, size_t n);

/* The clock of rate windows and breakers: now_ms, replaced by tests. */
extern int64_t (*shm_clock)(void);

#endif
