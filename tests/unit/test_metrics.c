/* Counters and histograms of several processes, and the text that Prometheus reads. */
#include "unit.h"

#include <string.h>
#include <sys/wait.h>

#include "core/buf.h"
#include "core/config.h"
#include "ops/metrics.h"
#include "store/shm.h"
#include "store/shm_map.h"

static char dir[64], path[128];
static struct arena arena;

static void
begin(void)
{
	char err[256];

	unit_make_dir(dir);
	(void)snprintf(path, sizeof path, "%s/souk.shm", dir);
	(void)setenv("STATE_DIR", dir, 1);
	(void)unsetenv("SOUK_CONF");
	ck_assert_msg(cfg_load("/dev/null", err, sizeof err), "%s", err);
	shm_open_state();
	ck_assert(shm_is_shared());
	arena_init(&arena, 8 << 20);
}

static void
end(void)
{
	arena_release(&arena);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static const char *
scrape(void)
{
	struct buf b;

	buf_init(&b, &arena, 4096, 4 << 20);
	metrics_print(&b);
	return buf_str(&b);
}

/* Does the text have exactly this line? */
static bool
has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *s = text; (s = strstr(s, line)) != NULL; s++)
		if ((s == text || s[-1] == '\n') && s[n] == '\n')
			return true;
	return false;
}

START_TEST(requests_are_counted_by_bucket)
{
	static const char *const lines[] = {
		"# TYPE souk_requests_total counter",
		"souk_requests_total{transport=\"mcp\",tool=\"search_products\",code=\"OK\"} 5",
		"souk_requests_total{transport=\"mcp\",tool=\"search_products\",code=\"MCP_NOT_FOUND\"} 1",
		"# TYPE souk_request_duration_seconds histogram",
		"souk_request_duration_seconds_bucket{transport=\"mcp\",tool=\"search_products\",le=\"0.001\"} 2",
		"souk_request_duration_seconds_bucket{transport=\"mcp\",tool=\"search_products\",le=\"0.0025\"} 3",
		"souk_request_duration_seconds_bucket{transport=\"mcp\",tool=\"search_products\",le=\"5\"} 3",
		"souk_request_duration_seconds_bucket{transport=\"mcp\",tool=\"search_products\",le=\"10\"} 4",
		"souk_request_duration_seconds_bucket{transport=\"mcp\",tool=\"search_products\",le=\"+Inf\"} 6",
		"souk_request_duration_seconds_sum{transport=\"mcp\",tool=\"search_products\"} 30.002003",
		"souk_request_duration_seconds_count{transport=\"mcp\",tool=\"search_products\"} 6",
	};
	const char *text;

	begin();
	metrics_request("mcp", "search_products", "OK", -7);
	metrics_request("mcp", "search_products", "OK", 1000);
	metrics_request("mcp", "search_products", "OK", 1001);
	metrics_request("mcp", "search_products", "OK", 10000000);
	metrics_request("mcp", "search_products", "OK", 10000001);
	metrics_request("mcp", "search_products", "MCP_NOT_FOUND", 10000001);
	text = scrape();
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_msg(has_line(text, lines[i]), "%s\n%s", lines[i], text);
	end();
}
END_TEST

START_TEST(labels_are_escaped_and_families_stand_together)
{
	const char *text, *a, *b;

	begin();
	metrics_count("souk_auth_failures_total", "reason", "a\"b\\c\nd");
	metrics_count("souk_other_total", NULL, NULL);
	metrics_count("souk_auth_failures_total", "reason", "expired");
	metrics_count("souk_auth_failures_total", "reason", "expired");
	text = scrape();
	ck_assert(has_line(text, "souk_auth_failures_total{reason=\"a\\\"b\\\\c\\nd\"} 1"));
	ck_assert(has_line(text, "souk_auth_failures_total{reason=\"expired\"} 2"));
	ck_assert(has_line(text, "souk_other_total 1"));
	a = strstr(text, "# TYPE souk_auth_failures_total counter");
	ck_assert_ptr_nonnull(a);
	b = strstr(a + 1, "# TYPE souk_auth_failures_total");
	ck_assert_ptr_null(b);
	b = strstr(a, "# TYPE souk_other_total counter");
	ck_assert_ptr_nonnull(b);
	ck_assert(strstr(a, "reason=\"expired\"") < b && strstr(a, "reason=\"a") < b);
	end();
}
END_TEST

START_TEST(build_and_breakers_are_told)
{
	const char *text;

	begin();
	text = scrape();
	ck_assert_ptr_nonnull(strstr(text, "souk_build_info{version=\""));
	ck_assert(has_line(text, "souk_breaker_open{dependency=\"postgresql\"} 0"));
	for (int i = 0; i < 5; i++)
		breaker_failed(BREAKER_POSTGRESQL);
	text = scrape();
	ck_assert(has_line(text, "souk_breaker_open{dependency=\"postgresql\"} 1"));
	ck_assert(has_line(text, "souk_breaker_open{dependency=\"redis\"} 0"));
	end();
}
END_TEST

START_TEST(processes_count_together)
{
	char tool[32];
	const char *text;

	begin();
	for (int p = 0; p < 6; p++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < 3000; i++) {
			(void)snprintf(tool, sizeof tool, "tool_%d", i % 30);
			metrics_request("rest", tool, "OK", 2000);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	text = scrape();
	for (int i = 0; i < 30; i++) {
		char line[160];

		(void)snprintf(line, sizeof line, "souk_requests_total{transport=\"rest\",tool=\"tool_%d\",code=\"OK\"} 600", i);
		ck_assert_msg(has_line(text, line), "%s", line);
		(void)snprintf(line, sizeof line, "souk_request_duration_seconds_count{transport=\"rest\",tool=\"tool_%d\"} 600", i);
		ck_assert_msg(has_line(text, line), "%s", line);
	}
	ck_assert(has_line(text, "souk_metrics_dropped_total 0"));
	end();
}
END_TEST

START_TEST(only_the_living_are_in_flight)
{
	int told[2], go[2];
	char c;

	begin();
	metrics_in_flight(1);
	metrics_in_flight(1);
	metrics_in_flight(-1);
	ck_assert(has_line(scrape(), "souk_in_flight 1"));
	ck_assert(pipe(told) == 0 && pipe(go) == 0);
	for (int p = 0; p < 3; p++) {
		if (fork() != 0)
			continue;
		metrics_in_flight(1);
		(void)!write(told[1], "x", 1);
		(void)close(go[1]);
		(void)!read(go[0], &c, 1);
		_exit(0);	/* killed within its request, as it were */
	}
	for (int p = 0; p < 3; p++)
		ck_assert_int_eq(read(told[0], &c, 1), 1);
	ck_assert(has_line(scrape(), "souk_in_flight 4"));
	(void)close(go[1]);
	while (wait(NULL) > 0)
		;
	ck_assert(has_line(scrape(), "souk_in_flight 1"));
	metrics_in_flight(-1);
	metrics_in_flight(-1);
	ck_assert(has_line(scrape(), "souk_in_flight 0"));
	/* Dead processes' places are used again. */
	for (int p = 0; p < 600; p++) {
		if (fork() == 0) {
			metrics_in_flight(1);
			_exit(0);
		}
		while (wait(NULL) > 0)
			;
	}
	metrics_in_flight(1);
	ck_assert(has_line(scrape(), "souk_in_flight 1"));
	end();
}
END_TEST

START_TEST(a_full_table_says_so)
{
	static char longest[300];
	char value[32];
	const char *text;

	begin();
	for (unsigned i = 0; i < SHM_COUNTERS + 100; i++) {
		(void)snprintf(value, sizeof value, "v%u", i);
		metrics_count("souk_many_total", "value", value);
	}
	memset(longest, 'x', sizeof longest - 1);
	metrics_count("souk_many_total", "value", longest);
	text = scrape();
	ck_assert(has_line(text, "souk_metrics_dropped_total 101"));
	ck_assert(has_line(text, "souk_many_total{value=\"v0\"} 1"));
	ck_assert_ptr_null(strstr(text, "xxx"));
	metrics_count("souk_many_total", "value", "v0");
	ck_assert(has_line(scrape(), "souk_many_total{value=\"v0\"} 2"));
	end();
}
END_TEST

/* A process that was killed between claiming a series and writing its text. */
START_TEST(an_unfinished_series_is_finished)
{
	begin();
	metrics_count("souk_x_total", NULL, NULL);
	for (unsigned i = 0; i < SHM_COUNTERS; i++) {
		struct shm_series *s = &shm_map()->counters[i].series;

		if (atomic_load(&s->key) != 0) {
			atomic_store(&s->ready, 0);
			memset(s->text, 0, sizeof s->text);
		}
	}
	ck_assert_ptr_null(strstr(scrape(), "souk_x_total"));
	metrics_count("souk_x_total", NULL, NULL);
	ck_assert(has_line(scrape(), "souk_x_total 2"));
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { requests_are_counted_by_bucket, labels_are_escaped_and_families_stand_together,
		build_and_breakers_are_told, processes_count_together, only_the_living_are_in_flight, a_full_table_says_so,
		an_unfinished_series_is_finished, NULL };

	return unit_run("metrics", tests);
}
