/*
 * Rate counters.  A key is a 64-bit keyed hash and may live in the slots of one bucket.  A slot's state is one word
 *
 *	tag (10 bits of the key) | end of the window (ms, 34 bits) | hits (20 bits)
 *
 * so that counting is one compare-and-swap.  The state decides who owns a slot: the key word beside it is written only by who has
 * claimed the state, and whoever changes a state has seen the right key between reading and swapping it.
 *
 * A key must never have two slots, or its limit would double.  So a new key is first claimed with 0 hits (pending); then the rest
 * of the bucket is searched again.  Another counting slot of the key: the claim is given up.  Another pending one: that one is
 * reset, so its process starts again.  Of two processes, the one that claimed later sees the claim of the earlier; hence never both succeed.
 * What a killed process leaves behind is a pending slot, free again after PENDING_MS.
 *
 * The clock is read after the state that it is compared with.  A process may be held up anywhere: with an older time it would take a
 * window that was opened meanwhile for one that cannot be.
 *
 * Times wrap after 198 days.  A stale slot read as live after just that long would limit for one window at most.
 */
#include "core/config.h"
#include "store/shm.h"
#include "store/shm_map.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#define HIT_BITS 20
#define END_BITS 34
#define HITS_MAX ((1u << HIT_BITS) - 1)
#define END_MASK ((1ULL << END_BITS) - 1)
#define NONCE_BITS 10
#define PENDING_MS (3 << NONCE_BITS)	/* at most; at least a third of it */
#define WAITS 20	/* looks at a pending slot before it is taken for abandoned */
#define TRIES 2000
#define WINDOW_MAX_MS (CFG_RATE_WINDOW_MAX * 1000LL)

_Static_assert(CFG_RATE_LIMIT_MAX < HITS_MAX, "hits have to fit");

struct rate {
	struct shm_rate_slot *bucket;
	uint64_t key;
	int64_t window_ms, limit;
	bool hit;
};

/* What became of a try. */
enum outcome { DONE, AGAIN };

static uint64_t
tag_of(uint64_t key)
{
	return key >> (HIT_BITS + END_BITS);
}

static uint64_t
pack(uint64_t key, int64_t end, uint64_t hits)
{
	return tag_of(key) << (HIT_BITS + END_BITS) | ((uint64_t)end & END_MASK) << HIT_BITS | hits;
}

static int64_t
hits_of(uint64_t state)
{
	return (int64_t)(state & HITS_MAX);
}

/* Milliseconds from now until the window ends; 0 when it has, or when no window of at most max_ms could end then. */
static int64_t
left_of(uint64_t state, int64_t now, int64_t max_ms)
{
	int64_t left = (int64_t)(((state >> HIT_BITS) - (uint64_t)now) & END_MASK);

	return left <= max_ms ? left : 0;
}

/* Does the slot in this state belong to the key?  Pending claims do not count. */
static bool
owns(const struct rate *r, struct shm_rate_slot *slot, uint64_t state)
{
	return hits_of(state) > 0 && tag_of(state) == tag_of(r->key) && atomic_load(&slot->key) == r->key;
}

/* The key's slot and its state; NULL when there is none.  *pending: somebody is about to make one (or a key of the same tag). */
static struct shm_rate_slot *
find(const struct rate *r, uint64_t *state, bool *pending)
{
	*pending = false;
	for (struct shm_rate_slot *slot = r->bucket; slot < r->bucket + SHM_BUCKET; slot++) {
		for (*state = atomic_load(&slot->state); owns(r, slot, *state);) {
			uint64_t seen = *state;

			/* Unchanged since before the key was read: it is the key's. */
			*state = atomic_load(&slot->state);
			if (*state == seen)
				return slot;
		}
		if (*state != 0 && hits_of(*state) == 0 && tag_of(*state) == tag_of(r->key) && left_of(*state, shm_clock(), PENDING_MS) > 0)
			*pending = true;
	}
	return NULL;
}

/* Where a new key goes: an unused slot, else an ended one, else the live one with the fewest hits. */
static struct shm_rate_slot *
choose(const struct rate *r, uint64_t *state)
{
	uint64_t states[SHM_BUCKET], best_rank = UINT64_MAX;
	unsigned best = 0;
	int64_t now;

	for (unsigned i = 0; i < SHM_BUCKET; i++)
		states[i] = atomic_load(&r->bucket[i].state);
	now = shm_clock();
	for (unsigned i = 0; i < SHM_BUCKET; i++) {
		uint64_t s = states[i], rank;

		if (s == 0)
			rank = 0;
		else if (left_of(s, now, hits_of(s) == 0 ? PENDING_MS : WINDOW_MAX_MS) == 0)
			rank = 1;
		else
			rank = hits_of(s) == 0 ? HITS_MAX + 2ULL : 1 + (uint64_t)hits_of(s);
		if (rank < best_rank) {
			best = i;
			best_rank = rank;
		}
	}
	*state = states[best];
	return &r->bucket[best];
}

/* After claiming mine: false when the key counts elsewhere.  Other claims of the key are reset. */
static bool
alone(const struct rate *r, const struct shm_rate_slot *mine)
{
	for (struct shm_rate_slot *slot = r->bucket; slot < r->bucket + SHM_BUCKET; slot++) {
		uint64_t s = slot == mine ? 0 : atomic_load(&slot->state);

		while (s != 0 && tag_of(s) == tag_of(r->key)) {
			if (hits_of(s) == 0) {
				if (atomic_compare_exchange_strong(&slot->state, &s, 0))
					break;
			} else if (atomic_load(&slot->key) == r->key) {
				return false;
			} else {
				uint64_t seen = s;

				s = atomic_load(&slot->state);
				if (s == seen)
					break;
			}
		}
	}
	return true;
}

/*
 * A pending state.  Its time is rounded, and a number that tells claims apart takes the low bits: a claim that was reset and made again
 * by another process must not look like the first.
 */
static uint64_t
claim_of(const struct rate *r)
{
	static unsigned claims;
	unsigned nonce = ((unsigned)getpid() * 2654435761u >> 16) + claims++;
	int64_t end = ((shm_clock() >> NONCE_BITS) + 2) << NONCE_BITS;

	return pack(r->key, end | (nonce & ((1u << NONCE_BITS) - 1)), 0);
}

static enum outcome
insert(const struct rate *r)
{
	uint64_t old, old_key, claim = claim_of(r);
	struct shm_rate_slot *slot = choose(r, &old);

	old_key = atomic_load(&slot->key);
	if (!atomic_compare_exchange_strong(&slot->state, &old, claim))
		return AGAIN;
	/* Fails only when this process slept so long that the slot was taken from it. */
	if (atomic_compare_exchange_strong(&slot->key, &old_key, r->key) && alone(r, slot)) {
		uint64_t mine = claim;

		if (atomic_compare_exchange_strong(&slot->state, &mine, pack(r->key, shm_clock() + r->window_ms, 1)))
			return DONE;
		return AGAIN;
	}
	(void)atomic_compare_exchange_strong(&slot->state, &claim, 0);
	return AGAIN;
}

/* Count in the key's slot.  AGAIN: it was taken away meanwhile. */
static enum outcome
count(const struct rate *r, struct shm_rate_slot *slot, uint64_t state, int64_t *hits, int64_t *left)
{
	uint64_t next;
	int64_t now;

	do {
		if (!owns(r, slot, state))
			return AGAIN;
		now = shm_clock();
		*left = left_of(state, now, r->window_ms);
		*hits = *left > 0 ? hits_of(state) : 0;
		if (*left <= 0)
			*left = r->window_ms;
		if (!r->hit)
			return DONE;
		if (*hits >= r->limit) {
			*hits = r->limit + 1;
			return DONE;
		}
		next = *hits == 0 ? pack(r->key, now + r->window_ms, 1) : state + 1;
		++*hits;
	} while (!atomic_compare_exchange_weak(&slot->state, &state, next));
	return DONE;
}

static int64_t
count_anywhere(const struct rate *r, int64_t *left)
{
	int waits = WAITS;

	for (int tries = 0; tries < TRIES; tries++) {
		uint64_t state;
		bool pending;
		int64_t hits;
		struct shm_rate_slot *slot = find(r, &state, &pending);

		if (slot != NULL) {
			if (count(r, slot, state, &hits, left) == DONE)
				return hits;
			continue;
		}
		*left = r->window_ms;
		if (!r->hit)
			return 0;
		if (pending && waits-- > 0) {
			(void)sched_yield();
			continue;
		}
		if (insert(r) == DONE)
			return 1;
		waits = WAITS;
	}
	return 1;	/* the table may be lost, the request may not */
}

int64_t
shm_rate(const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *reset_s)
{
	struct shm *m = shm_map();
	struct rate r = { .key = shm_hash(key, strlen(key)), .hit = hit };
	int64_t hits, left = 0;

	if (window_s < 1)
		window_s = 1;
	if (window_s > CFG_RATE_WINDOW_MAX)
		window_s = CFG_RATE_WINDOW_MAX;
	r.window_ms = window_s * 1000;
	r.limit = limit < CFG_RATE_LIMIT_MAX ? limit : CFG_RATE_LIMIT_MAX;
	r.bucket = m->rate + (r.key & (SHM_RATE_SLOTS / SHM_BUCKET - 1)) * SHM_BUCKET;
	*reset_s = window_s;
	if (limit <= 0)
		return hit ? 1 : 0;
	hits = count_anywhere(&r, &left);
	*reset_s = (left + 999) / 1000;
	return hits;
}
