/* lib/store/kv*.c on Redis, on PostgreSQL, and while Redis fails; rate counters of all three stores under concurrency. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */

#include "auth/rate.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "servers.h"
#include "store/db.h"
#include "store/kv.h"
#include "store/shm.h"

#define CHILDREN 8
#define WINDOW_S 3	/* long enough for some calls on a busy machine */
#define HITS 60		/* of each child */
#define LIMIT 200	/* less than CHILDREN * HITS */

static struct arena arena;
static struct ctx c;

static void
setup(void)
{
	c = servers_ctx(&arena, 64 << 20);
}

static void
setup_pg(void)
{
	(void)unsetenv("REDIS_URL");
	setup();
	ck_assert_str_eq(kv_backend(), "postgresql");
	ck_assert_int_eq(kv_redis_ping_us(&c), -1);
}

static void
setup_redis(void)
{
	setup();
	ck_assert_str_eq(kv_backend(), "redis");
	ck_assert_int_ge(kv_redis_ping_us(&c), 0);
}

static void
teardown(void)
{
	db_close_idle(0);
	kv_close_idle(0);
	arena_release(&arena);
}

/* The value of a key; NULL when absent. */
static const char *
get(const char *key)
{
	const char *out;
	size_t n;

	ck_assert_int_eq(kv_get(&c, key, &out, &n), E_OK);
	if (out != NULL)
		ck_assert_int_eq(out[n], '\0');
	return out;
}

START_TEST(values_come_back)
{
	static const char odd[] = "a\0b\xff\n'\"\\";
	const char *out;
	size_t n;
	bool stored;

	ck_assert_ptr_null(get("absent"));
	ck_assert_int_eq(kv_set(&c, "k:1", "one", 3, 60, false, &stored), E_OK);
	ck_assert(stored);
	ck_assert_str_eq(get("k:1"), "one");
	ck_assert_int_eq(kv_set(&c, "k:1", "two", 3, 60, false, NULL), E_OK);
	ck_assert_str_eq(get("k:1"), "two");
	ck_assert_int_eq(kv_set(&c, "k:odd", odd, sizeof(odd), 60, false, NULL), E_OK);
	ck_assert_int_eq(kv_get(&c, "k:odd", &out, &n), E_OK);
	ck_assert_uint_eq(n, sizeof(odd));
	ck_assert_int_eq(memcmp(out, odd, n), 0);
	ck_assert_int_eq(kv_set(&c, "k:empty", "", 0, 60, false, NULL), E_OK);
	ck_assert_str_eq(get("k:empty"), "");
	ck_assert_int_eq(kv_del(&c, "k:1"), E_OK);
	ck_assert_int_eq(kv_del(&c, "k:1"), E_OK);
	ck_assert_ptr_null(get("k:1"));
}
END_TEST

/* What ends with time: values, and windows of counting. */
START_TEST(expiry)
{
	int64_t n, reset;
	bool stored;

	ck_assert_int_eq(kv_set(&c, "lock", "a", 1, WINDOW_S, true, &stored), E_OK);
	ck_assert(stored);
	ck_assert_int_eq(kv_set(&c, "lock", "b", 1, WINDOW_S, true, &stored), E_OK);
	ck_assert(!stored);
	ck_assert_str_eq(get("lock"), "a");
	ck_assert_int_eq(kv_rate(&c, "rate:w", 2, WINDOW_S, false, &n, &reset), E_OK);
	ck_assert_int_eq(n, 0);
	for (int i = 1; i <= 5; i++) {
		ck_assert_int_eq(kv_rate(&c, "rate:w", 2, WINDOW_S, true, &n, &reset), E_OK);
		ck_assert_int_eq(n, i < 3 ? i : 3);
		ck_assert_int_ge(reset, 1);
		ck_assert_int_le(reset, WINDOW_S);
	}
	ck_assert_int_eq(kv_rate(&c, "rate:w", 2, WINDOW_S, false, &n, &reset), E_OK);
	ck_assert_int_eq(n, 3);
	usleep(WINDOW_S * 1000000 + 100000);
	ck_assert_ptr_null(get("lock"));
	ck_assert_int_eq(kv_set(&c, "lock", "c", 1, 60, true, &stored), E_OK);
	ck_assert(stored);
	ck_assert_str_eq(get("lock"), "c");
	ck_assert_int_eq(kv_rate(&c, "rate:w", 2, 60, true, &n, &reset), E_OK);
	ck_assert_int_eq(n, 1);
	ck_assert_int_gt(reset, WINDOW_S);
	ck_assert_int_le(reset, 60);
}
END_TEST

START_TEST(limits)
{
	static char big[(1 << 20) + 1];
	char key[202];
	const char *out;
	size_t n;

	memset(big, 'v', sizeof(big));
	memset(key, 'k', sizeof(key));
	key[200] = '\0';
	ck_assert_int_eq(kv_set(&c, key, big, sizeof(big) - 1, 60, false, NULL), E_OK);
	ck_assert_int_eq(kv_get(&c, key, &out, &n), E_OK);
	ck_assert_uint_eq(n, sizeof(big) - 1);
	ck_assert_int_eq(memcmp(out, big, n), 0);
	ck_assert_int_eq(kv_set(&c, "k", big, sizeof(big), 60, false, NULL), E_INTERNAL);
	key[200] = 'k';
	key[201] = '\0';
	ck_assert_int_eq(kv_get(&c, key, &out, &n), E_INTERNAL);
	ck_assert_int_eq(kv_get(&c, "", &out, &n), E_INTERNAL);
	ck_assert_int_eq(kv_get(&c, "a b", &out, &n), E_INTERNAL);
	ck_assert_int_eq(kv_get(&c, "a\nb", &out, &n), E_INTERNAL);
}
END_TEST

/* A read-only transaction neither breaks on a write nor lets one through. */
START_TEST(inside_a_reading_transaction)
{
	int64_t n, reset;
	bool stored;

	ck_assert_int_eq(db_begin(&c, DB_READ, NULL), E_OK);
	ck_assert_int_eq(kv_set(&c, "in", "x", 1, 60, false, &stored), E_OK);
	ck_assert(!stored);
	ck_assert_ptr_null(get("in"));
	ck_assert_int_eq(kv_rate(&c, "rate:in", 2, 60, true, &n, &reset), E_UNAVAILABLE);
	ctx_clear_error(&c);
	ck_assert_int_eq(db_commit(&c), E_OK);
}
END_TEST

/* How many of the hits of one child passed. */
static int
child_hits(const struct subject *s)
{
	struct rate_state st;
	int passed = 0;

	db_forget();
	kv_forget();
	for (int i = 0; i < HITS; i++) {
		ctx_clear_error(&c);
		if (rate_hit(&c, s, "data", &st) == E_OK)
			passed++;
		else if (c.err != E_RATE_LIMITED || c.retry_after_s < 1 || st.remaining != 0)
			return 255;
		arena_reset(&arena);
	}
	return passed;
}

/* All of them at once: exactly the limit may pass, and another principal has its own. */
static void
exactly_the_limit(void)
{
	struct subject s = { .kind = "staff", .rate_class = "", .principal = "token:abc" };
	struct subject other = { .kind = "anonymous", .rate_class = "", .principal = "ip:2001:db8::/64" };
	struct subject bulk = { .kind = "staff", .rate_class = "bulk", .principal = "token:bulk" };
	struct rate_state st;
	int passed = 0, status, fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0) {
			int n = child_hits(&s);

			_exit(write(fds[1], &n, sizeof(n)) == sizeof(n) ? 0 : 1);
		}
	for (int i = 0; i < CHILDREN; i++) {
		int n;

		ck_assert_int_eq(read(fds[0], &n, sizeof(n)), sizeof(n));
		ck_assert_int_ne(n, 255);
		passed += n;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(passed, LIMIT);
	ck_assert_int_eq(rate_hit(&c, &s, "data", &st), E_RATE_LIMITED);
	ck_assert_int_eq(st.limit, LIMIT);
	ctx_clear_error(&c);
	ck_assert_int_eq(rate_hit(&c, &other, "data", &st), E_OK);
	ck_assert_int_eq(st.remaining, LIMIT - 1);
	rate_peek(&c, &other, "data", &st);
	ck_assert_int_eq(st.remaining, LIMIT - 1);
	ck_assert_int_ge(st.reset_s, 1);
	ck_assert_int_eq(rate_hit(&c, &s, "status", &st), E_OK);	/* another class counts by itself */
	ck_assert_int_eq(rate_hit(&c, &bulk, "data", &st), E_OK);
	ck_assert_int_eq(st.limit, -1);
	ck_assert_int_eq(rate_hit(&c, &s, "health", &st), E_OK);	/* off */
	ck_assert_int_eq(st.limit, -1);
	ck_assert_int_eq(rate_hit(&c, &s, "nonsense", &st), E_INTERNAL);
	ck_assert(!rate_class_known("nonsense"));
	ck_assert(rate_class_known("chat"));
}

static void
rate_environment(const char *store)
{
	(void)setenv("RATE_STORE", store, 1);
	(void)setenv("RATE_DATA", "200/60", 1);
	(void)setenv("RATE_HEALTH", "off", 1);
}

START_TEST(rate_exact_in_shared_memory)
{
	rate_environment("shm");
	setup();
	ck_assert(shm_is_shared());
	exactly_the_limit();
}
END_TEST

START_TEST(rate_exact_in_postgresql)
{
	rate_environment("kv");
	setup_pg();
	exactly_the_limit();
}
END_TEST

START_TEST(rate_exact_in_redis)
{
	rate_environment("kv");
	setup_redis();
	exactly_the_limit();
}
END_TEST

/* Redis stopped: within its time-out PostgreSQL serves; soon nobody waits any more; later Redis is found again. */
START_TEST(stopped_redis)
{
	const char *now;
	int64_t t, n, reset;
	int tries;

	(void)setenv("REDIS_TIMEOUT_MS", "1000", 1);
	arena_release(&arena);
	setup();
	ck_assert_int_eq(kv_set(&c, "s", "in redis", 8, 600, false, NULL), E_OK);
	ck_assert_int_eq(servers_do("redis-stop"), 0);
	t = now_ms();
	ck_assert_ptr_null(get("s"));
	ck_assert_int_ge(now_ms() - t, 950);
	ck_assert_int_le(now_ms() - t, 30000);
	/* not the same key: Redis may carry out what it was sent when it wakes up */
	ck_assert_int_eq(kv_set(&c, "p", "in postgresql", 13, 60, false, NULL), E_OK);
	ck_assert_str_eq(get("p"), "in postgresql");
	ck_assert_int_eq(kv_rate(&c, "rate:s", 5, 60, true, &n, &reset), E_OK);
	ck_assert_int_eq(n, 1);
	(void)get("s");
	ck_assert_str_eq(kv_backend(), "postgresql");
	/* who comes as the probe waits for it; the others do not */
	for (tries = 0; tries < 10; tries++) {
		t = now_ms();
		ck_assert_str_eq(get("p"), "in postgresql");
		if (now_ms() - t < 900)
			break;
	}
	ck_assert_int_lt(tries, 10);
	ck_assert_int_eq(kv_redis_ping_us(&c), -2);
	ck_assert_int_eq(c.err, E_OK);
	ck_assert_int_eq(servers_do("redis-start"), 0);
	for (tries = 0; tries < 300 && ((now = get("s")) == NULL || strcmp(now, "in redis") != 0); tries++)
		usleep(100000);
	ck_assert_str_eq(get("s"), "in redis");
	ck_assert_str_eq(kv_backend(), "redis");
}
END_TEST

/* The connection that Redis closed in the meantime is not used for the next call. */
START_TEST(closed_redis_connection)
{
	char cmd[160];

	ck_assert_int_eq(kv_set(&c, "closed", "v", 1, 60, false, NULL), E_OK);
	(void)snprintf(cmd, sizeof(cmd), "redis-cli -s %s/redis.sock client kill type normal >/dev/null", servers_dir);
	ck_assert_int_eq(system(cmd), 0);
	ck_assert_str_eq(get("closed"), "v");
	ck_assert_str_eq(kv_backend(), "redis");
	/* without its scripts, as after a restart */
	int64_t n, reset;
	ck_assert_int_eq(kv_rate(&c, "rate:c", 5, 60, true, &n, &reset), E_OK);
	(void)snprintf(cmd, sizeof(cmd), "redis-cli -s %s/redis.sock script flush >/dev/null", servers_dir);
	ck_assert_int_eq(system(cmd), 0);
	ck_assert_int_eq(kv_rate(&c, "rate:c", 5, 60, true, &n, &reset), E_OK);
	ck_assert_int_eq(n, 2);
}
END_TEST

static void
add_common(TCase *t)
{
	tcase_set_timeout(t, 100);
	tcase_add_test(t, values_come_back);
	tcase_add_test(t, expiry);
	tcase_add_test(t, limits);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("store_kv");
	TCase *pg = tcase_create("postgresql"), *rate = tcase_create("rate"), *redis;

	tcase_add_checked_fixture(pg, setup_pg, teardown);
	add_common(pg);
	tcase_add_test(pg, inside_a_reading_transaction);
	suite_add_tcase(s, pg);
	tcase_set_timeout(rate, 100);
	tcase_add_test(rate, rate_exact_in_shared_memory);
	tcase_add_test(rate, rate_exact_in_postgresql);
	suite_add_tcase(s, rate);
	if (getenv("REDIS_URL") == NULL) {
		(void)printf("no redis-server: only PostgreSQL is tested\n");
		return s;
	}
	redis = tcase_create("redis");
	tcase_add_test(rate, rate_exact_in_redis);
	tcase_add_checked_fixture(redis, setup_redis, teardown);
	add_common(redis);
	if (servers_own) {
		tcase_add_test(redis, stopped_redis);
		tcase_add_test(redis, closed_redis_connection);
	}
	suite_add_tcase(s, redis);
	return s;
}

int
main(void)
{
	return servers_run(suite);
}
