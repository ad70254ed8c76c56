/*
 * Metrics live in two hash tables of the shared mapping (store/shm_map.h), one of counters and one of histograms.  A series is never
 * removed, so the first free slot on the way decides where a new one goes and no two processes can make it twice.
 */
#include "ops/metrics.h"
#include "core/banned.h"
#include "store/shm.h"
#include "store/shm_map.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SOUK_VERSION
#define SOUK_VERSION "unknown"
#endif

static const int64_t bounds_us[SHM_BUCKETS - 1] = { 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
	10000000 };
static const char *const bounds_s[SHM_BUCKETS] = { "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5",
	"10", "+Inf" };

static const struct {
	const char *family, *help;
} helps[] = {
	{ "souk_auth_failures_total", "Refused access tokens." },
	{ "souk_outbox_attempts_total", "Attempts to send messages, webhooks and payment requests." },
	{ "souk_webhook_deliveries_total", "Attempts to deliver webhooks." },
	{ "souk_rate_limited_total", "Requests over their rate limit." },
	{ "souk_records_lost_total", "Records of calls that could not be kept." },
	{ "souk_redis_errors_total", "Failed calls to Redis." },
	{ "souk_request_duration_seconds", "Time from a request's arrival to its end." },
	{ "souk_requests_total", "Finished requests." },
};

/* A series' text is built here first. */
struct text {
	char s[SHM_SERIES_TEXT];
	size_t n;
	bool full;
};

static void
put(struct text *t, const char *s, size_t n)
{
	if (n >= sizeof t->s - t->n) {
		t->full = true;
		return;
	}
	memcpy(t->s + t->n, s, n);
	t->n += n;
}

static void
put_label(struct text *t, const char *label, const char *value)
{
	put(t, strchr(t->s, '{') == NULL ? "{" : ",", 1);
	put(t, label, strlen(label));
	put(t, "=\"", 2);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			put(t, "\\n", 2);
		else if (*value == '"' || *value == '\\')
			put(t, (char[]){ '\\', *value }, 2);
		else
			put(t, value, 1);
	}
	put(t, "\"", 1);
}

/* name, then n pairs of label and value. */
static struct text
series_text(const char *name, const char *const *labels, int n)
{
	struct text t = { .n = 0 };

	put(&t, name, strlen(name));
	for (int i = 0; i < n; i++)
		put_label(&t, labels[2 * i], labels[2 * i + 1]);
	if (n > 0)
		put(&t, "}", 1);
	return t;
}

/*
 * The series of that text, made when absent; NULL when there is no room.  i-th series of a table: first + i * stride bytes.
 */
static void *
series(void *first, size_t stride, unsigned slots, const struct text *t)
{
	uint64_t key = shm_hash(t->s, t->n);

	for (unsigned k = 0; k < slots && !t->full; k++) {
		struct shm_series *s = (struct shm_series *)(void *)((char *)first + ((key + k) & (slots - 1)) * stride);
		uint64_t have = atomic_load_explicit(&s->key, memory_order_acquire);

		if (have == 0 && atomic_compare_exchange_strong(&s->key, &have, key))
			have = key;
		if (have != key)
			continue;
		/* Whoever claimed it may have been killed before writing; all write the same bytes. */
		if (atomic_load_explicit(&s->ready, memory_order_acquire) == 0) {
			memcpy(s->text, t->s, t->n + 1);
			atomic_store_explicit(&s->ready, 1, memory_order_release);
		}
		return s;
	}
	(void)atomic_fetch_add(&shm_map()->dropped, 1);
	return NULL;
}

static void
add(_Atomic uint64_t *v, uint64_t n)
{
	(void)atomic_fetch_add_explicit(v, n, memory_order_relaxed);
}

static void
count(const struct text *t, uint64_t n)
{
	struct shm *m = shm_map();
	struct shm_counter *c = series(m->counters, sizeof *m->counters, SHM_COUNTERS, t);

	if (c != NULL)
		add(&c->value, n);
}

void
metrics_count(const char *name, const char *label, const char *value)
{
	struct text t = series_text(name, (const char *const[]){ label, value }, label != NULL);

	count(&t, 1);
}

void
metrics_declare(const char *name, const char *label, const char *value)
{
	struct text t = series_text(name, (const char *const[]){ label, value }, label != NULL);

	count(&t, 0);
}

void
metrics_request(const char *transport, const char *tool, const char *code, int64_t latency_us)
{
	const char *const labels[] = { "transport", transport, "tool", tool, "code", code };
	struct text t = series_text("souk_requests_total", labels, 3);
	struct shm *m = shm_map();
	struct shm_histogram *h;
	unsigned i = 0;

	count(&t, 1);
	t = series_text("souk_request_duration_seconds", labels, 2);
	h = series(m->histograms, sizeof *m->histograms, SHM_HISTOGRAMS, &t);
	if (h == NULL)
		return;
	if (latency_us < 0)
		latency_us = 0;
	while (i < SHM_BUCKETS - 1 && latency_us > bounds_us[i])
		i++;
	add(&h->buckets[i], 1);
	add(&h->sum_us, (uint64_t)latency_us);
}

/* Does the process still live?  One of another user does (EPERM). */
static bool
lives(uint32_t pid)
{
	return pid != 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* This process's own slot, taken from a dead one if need be; NULL when there are too many processes. */
static struct shm_process *
own_process(void)
{
	static struct shm_process *mine;
	static pid_t owner;
	struct shm *m = shm_map();
	pid_t pid = getpid();

	if (owner == pid)
		return mine;
	owner = pid;
	mine = NULL;
	for (unsigned i = 0; i < SHM_PROCESSES && mine == NULL; i++) {
		uint64_t v = atomic_load(&m->processes[i].pid_count);

		if ((uint32_t)(v >> 32) != (uint32_t)pid && lives((uint32_t)(v >> 32)))
			continue;
		if (atomic_compare_exchange_strong(&m->processes[i].pid_count, &v, (uint64_t)pid << 32))
			mine = &m->processes[i];
	}
	return mine;
}

void
metrics_in_flight(int delta)
{
	struct shm_process *p = own_process();
	uint64_t v;

	/* Only this process writes the slot while it lives. */
	if (p == NULL)
		return;
	v = atomic_load(&p->pid_count);
	if (delta > 0)
		atomic_store(&p->pid_count, v + (uint64_t)delta);
	else if ((v & UINT32_MAX) >= (uint64_t)-delta)
		atomic_store(&p->pid_count, v - (uint64_t)-delta);
}

static uint64_t
in_flight(struct shm *m)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SHM_PROCESSES; i++) {
		uint64_t v = atomic_load(&m->processes[i].pid_count);

		if ((v & UINT32_MAX) != 0 && lives((uint32_t)(v >> 32)))
			sum += v & UINT32_MAX;
	}
	return sum;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp((*(struct shm_series *const *)a)->text, (*(struct shm_series *const *)b)->text);
}

/* Pointers to the complete series of a table, by text, so that families stand together. */
static struct shm_series **
sorted(struct buf *b, void *first, size_t stride, unsigned slots, unsigned *n)
{
	struct shm_series **list = arena_zalloc(b->a, slots, sizeof(void *));

	*n = 0;
	for (unsigned i = 0; i < slots; i++) {
		struct shm_series *s = (struct shm_series *)(void *)((char *)first + i * stride);

		if (atomic_load_explicit(&s->ready, memory_order_acquire) != 0)
			list[(*n)++] = s;
	}
	qsort(list, *n, sizeof(void *), by_text);
	return list;
}

static void
print_head(struct buf *b, const char *family, size_t n, const char *type, const char *help)
{
	for (size_t i = 0; help == NULL && i < sizeof helps / sizeof *helps; i++)
		if (strlen(helps[i].family) == n && memcmp(helps[i].family, family, n) == 0)
			help = helps[i].help;
	if (help != NULL)
		buf_printf(b, "# HELP %.*s %s\n", (int)n, family, help);
	buf_printf(b, "# TYPE %.*s %s\n", (int)n, family, type);
}

/* The head of a family, when text begins another one than *family. */
static void
print_family(struct buf *b, const char *text, const char *type, const char **family)
{
	size_t n = strcspn(text, "{");

	if (*family == NULL || strcspn(*family, "{") != n || memcmp(*family, text, n) != 0)
		print_head(b, text, n, type, NULL);
	*family = text;
}

static void
print_counters(struct buf *b, struct shm *m)
{
	const char *family = NULL;
	unsigned n;
	struct shm_series **list = sorted(b, m->counters, sizeof *m->counters, SHM_COUNTERS, &n);

	for (unsigned i = 0; i < n; i++) {
		struct shm_counter *c = (struct shm_counter *)(void *)list[i];

		print_family(b, c->series.text, "counter", &family);
		buf_printf(b, "%s %llu\n", c->series.text, (unsigned long long)atomic_load(&c->value));
	}
}

static void
print_histogram(struct buf *b, struct shm_histogram *h)
{
	const char *text = h->series.text, *labels = text + strcspn(text, "{");
	int name = (int)(labels - text), inner = (int)strlen(labels) - 2;	/* without { and } */
	unsigned long long total = 0;
	uint64_t sum = atomic_load(&h->sum_us);

	for (unsigned i = 0; i < SHM_BUCKETS; i++) {
		total += atomic_load(&h->buckets[i]);
		buf_printf(b, "%.*s_bucket{%.*s,le=\"%s\"} %llu\n", name, text, inner, labels + 1, bounds_s[i], total);
	}
	buf_printf(b, "%.*s_sum%s %llu.%06llu\n", name, text, labels, (unsigned long long)sum / 1000000, (unsigned long long)sum % 1000000);
	buf_printf(b, "%.*s_count%s %llu\n", name, text, labels, total);
}

static void
print_histograms(struct buf *b, struct shm *m)
{
	const char *family = NULL;
	unsigned n;
	struct shm_series **list = sorted(b, m->histograms, sizeof *m->histograms, SHM_HISTOGRAMS, &n);

	for (unsigned i = 0; i < n; i++) {
		print_family(b, list[i]->text, "histogram", &family);
		print_histogram(b, (struct shm_histogram *)(void *)list[i]);
	}
}

static void
print_breakers(struct buf *b)
{
	static const char *const names[BREAKER__MAX] = { "postgresql", "redis", "http" };

	print_head(b, "souk_breaker_open", 17, "gauge", "Whether calls to the dependency are held back (1) or not (0).");
	for (int i = 0; i < BREAKER__MAX; i++)
		buf_printf(b, "souk_breaker_open{dependency=\"%s\"} %d\n", names[i],
			i == BREAKER_HTTP ? breaker_hosts_open() > 0 : strcmp(breaker_state((enum breaker)i), "closed") != 0);
}

void
metrics_print(struct buf *b)
{
	struct shm *m = shm_map();

	print_breakers(b);
	print_head(b, "souk_build_info", 15, "gauge", "Version of the running program.");
	buf_puts(b, "souk_build_info{version=\"" SOUK_VERSION "\"} 1\n");
	print_head(b, "souk_in_flight", 14, "gauge", "Requests being answered now, by all processes.");
	buf_printf(b, "souk_in_flight %llu\n", (unsigned long long)in_flight(m));
	print_head(b, "souk_metrics_dropped_total", 26, "counter", "Observations for which the table had no room.");
	buf_printf(b, "souk_metrics_dropped_total %llu\n", (unsigned long long)atomic_load(&m->dropped));
	print_counters(b, m);
	print_histograms(b, m);
}
