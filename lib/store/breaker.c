/*
 * Circuit breakers; see shm.h.  The whole state of one is a word, 0 when all is well:
 *
 *	mode (2 bits) | level (6 bits) | failures (8 bits) | time (ms, 48 bits)
 *
 * closed: failures since time, none of them followed by a success.  open: refuses until time.  half-open: one process
 * probes; if it has not told how it went by time (it may have been killed), the next one may.
 */
#include <string.h>

#include "store/shm.h"
#include "store/shm_map.h"

#define FAILURES 5
#define FAILURES_MS 10000
#define OPEN_MS 1000
#define OPEN_MAX_MS 5000
#define PROBE_MS 5000

enum mode { CLOSED, OPEN, HALF_OPEN };

struct word {
	enum mode mode;
	unsigned level, failures;
	int64_t time;
};

static uint64_t
pack(struct word w)
{
	return (uint64_t)w.mode << 62 | (uint64_t)(w.level & 63) << 56 | (uint64_t)(w.failures & 255) << 48 |
		((uint64_t)w.time & 0xFFFFFFFFFFFFULL);
}

static struct word
unpack(uint64_t v)
{
	return (struct word){ (enum mode)(v >> 62), (unsigned)(v >> 56) & 63, (unsigned)(v >> 48) & 255, (int64_t)(v & 0xFFFFFFFFFFFFULL) };
}

/* How long it stays open: 1 s, doubling to 5 s. */
static int64_t
open_ms(unsigned level)
{
	return level < 3 ? (int64_t)OPEN_MS << level : OPEN_MAX_MS;
}

bool
breaker_allows(enum breaker b)
{
	_Atomic uint64_t *at = &shm_map()->breakers[b];
	uint64_t v = atomic_load(at);
	int64_t now;

	if (v == 0)
		return true;
	now = shm_clock();
	for (;;) {
		struct word w = unpack(v);

		if (w.mode == CLOSED)
			return true;
		if (now < w.time)
			return false;
		if (atomic_compare_exchange_weak(at, &v, pack((struct word){ HALF_OPEN, w.level, 0, now + PROBE_MS })))
			return true;
	}
}

void
breaker_ok(enum breaker b)
{
	_Atomic uint64_t *at = &shm_map()->breakers[b];

	if (atomic_load(at) != 0)
		atomic_store(at, 0);
}

/* The state after a failure at now; sure: of a dependency that is down, so that no more failures need be seen. */
static struct word
after_failure(struct word w, int64_t now, bool sure)
{
	switch (w.mode) {
	case OPEN:
		return w;	/* of a call that began before it opened */
	case HALF_OPEN:
		if (w.level < 63)
			w.level++;
		return (struct word){ OPEN, w.level, 0, now + open_ms(w.level) };
	case CLOSED:
		break;
	}
	if (w.failures == 0 || now - w.time > FAILURES_MS)
		w = (struct word){ CLOSED, 0, 0, now };
	if (sure || ++w.failures >= FAILURES)
		w = (struct word){ OPEN, 0, 0, now + open_ms(0) };
	return w;
}

static void
failed(enum breaker b, bool sure)
{
	_Atomic uint64_t *at = &shm_map()->breakers[b];
	uint64_t v = atomic_load(at);
	int64_t now = shm_clock();

	while (!atomic_compare_exchange_weak(at, &v, pack(after_failure(unpack(v), now, sure))))
		;
}

void
breaker_failed(enum breaker b)
{
	failed(b, false);
}

void
breaker_open(enum breaker b)
{
	failed(b, true);
}

const char *
breaker_state(enum breaker b)
{
	static const char *const names[] = { "closed", "open", "half-open", "closed" };

	return names[unpack(atomic_load(&shm_map()->breakers[b])).mode];
}

enum breaker
breaker_of_host(const char *host)
{
	return (enum breaker)(SHM_BREAKERS + shm_hash(host, strlen(host)) % SHM_HOSTS);
}

int
breaker_hosts_open(void)
{
	int n = 0;

	for (unsigned i = 0; i < SHM_HOSTS; i++)
		n += unpack(atomic_load(&shm_map()->breakers[SHM_BREAKERS + i])).mode != CLOSED;
	return n;
}
