/* The shared mapping, rate counters and circuit breakers: alone, between racing processes, and between killed ones. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/config.h"
#include "store/shm.h"
#include "store/shm_map.h"

static char dir[64], path[128];
static int64_t fake_ms = 1000000;

static int64_t
fake_clock(void)
{
	return fake_ms;
}

/* A state folder of the test's own; nothing is mapped yet. */
static void
begin(void)
{
	char err[256];

	unit_make_dir(dir);
	(void)snprintf(path, sizeof path, "%s/souk.shm", dir);
	(void)setenv("STATE_DIR", dir, 1);
	(void)unsetenv("SOUK_CONF");
	ck_assert_msg(cfg_load("/dev/null", err, sizeof err), "%s", err);
}

static void
end(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* Run job in n processes that start together; returns the sum of what they return. */
static long
in_processes(int n, long (*job)(int))
{
	int go[2], result[2], status;
	long sum = 0, one;
	char c;

	ck_assert(pipe(go) == 0 && pipe(result) == 0);
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			(void)close(go[1]);
			(void)!read(go[0], &c, 1);
			one = job(i);
			_exit(write(result[1], &one, sizeof one) == (ssize_t)sizeof one ? 0 : 1);
		}
	}
	(void)close(go[0]);
	(void)close(go[1]);
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(read(result[0], &one, sizeof one), (int)sizeof one);
		sum += one;
	}
	for (int i = 0; i < n; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	(void)close(result[0]);
	(void)close(result[1]);
	return sum;
}

static long
bump_1000(int i)
{
	(void)i;
	for (int k = 0; k < 1000; k++)
		shm_bump(SHM_TOKENS);
	return shm_is_shared();
}

static long
read_generation(int i)
{
	(void)i;
	return (long)shm_generation(SHM_TOKENS);
}

START_TEST(processes_that_start_together_share)
{
	struct stat st;

	begin();
	ck_assert_int_eq(in_processes(8, bump_1000), 8);
	ck_assert_int_eq(in_processes(1, read_generation), 8000);
	ck_assert_uint_eq(shm_generation(SHM_SETTINGS), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, sizeof(struct shm));
	ck_assert_int_ge(st.st_blocks * 512, st.st_size);	/* no hole: a full disk cannot kill a process later */
	ck_assert_int_eq(st.st_mode & 07, 0);
	end();
}
END_TEST

/* Change a byte of the file, or append one. */
static void
spoil(off_t at)
{
	int fd = open(path, O_RDWR);
	char c = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &c, 1, at), at < (off_t)sizeof(struct shm) ? 1 : 0);
	c ^= 1;
	ck_assert_int_eq(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

START_TEST(a_file_of_other_form_is_replaced)
{
	static const off_t places[] = { 0, 8, 12, offsetof(struct shm_head, boot), sizeof(struct shm) };

	begin();
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		ck_assert_int_eq(in_processes(1, bump_1000), 1);
		ck_assert_int_eq(in_processes(1, read_generation), 1000);
		spoil(places[i]);
		ck_assert_int_eq(in_processes(1, read_generation), 0);
		(void)unlink(path);
	}
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, "junk", 4), 4);
	(void)close(fd);
	ck_assert_int_eq(in_processes(1, bump_1000), 1);
	end();
}
END_TEST

START_TEST(without_a_folder_a_private_table_serves)
{
	char err[256];
	int64_t reset;

	(void)setenv("STATE_DIR", "/nonexistent", 1);
	ck_assert(cfg_load("/dev/null", err, sizeof err));
	shm_open_state();
	ck_assert(!shm_is_shared());
	ck_assert_int_eq(shm_rate("k", 1, 60, true, &reset), 1);
	ck_assert_int_eq(shm_rate("k", 1, 60, true, &reset), 2);
	/* Children of this process still count together. */
	ck_assert_int_eq(in_processes(2, bump_1000), 0);
	ck_assert_uint_eq(shm_generation(SHM_TOKENS), 2000);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
	char target[160];

	begin();
	(void)snprintf(target, sizeof target, "%s/target", dir);
	ck_assert_int_eq(symlink(target, path), 0);
	shm_open_state();
	ck_assert(!shm_is_shared());
	ck_assert_int_eq(access(target, F_OK), -1);
	end();
}
END_TEST

START_TEST(a_window_counts_and_ends)
{
	int64_t reset = 0;

	begin();
	shm_clock = fake_clock;
	ck_assert_int_eq(shm_rate("a", 3, 60, false, &reset), 0);
	ck_assert_int_eq(reset, 60);
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(shm_rate("a", 3, 60, true, &reset), i);
	ck_assert_int_eq(reset, 60);
	fake_ms += 59000;
	ck_assert_int_eq(shm_rate("a", 3, 60, true, &reset), 4);
	ck_assert_int_eq(reset, 1);
	fake_ms += 999;
	ck_assert_int_eq(shm_rate("a", 3, 60, true, &reset), 4);
	ck_assert_int_eq(reset, 1);
	ck_assert_int_eq(shm_rate("a", 3, 60, false, &reset), 3);
	ck_assert_int_eq(shm_rate("b", 3, 60, true, &reset), 1);
	fake_ms += 1;
	ck_assert_int_eq(shm_rate("a", 3, 60, false, &reset), 0);
	ck_assert_int_eq(shm_rate("a", 3, 60, true, &reset), 1);
	ck_assert_int_eq(reset, 60);
	ck_assert_int_eq(shm_rate("none", 0, 60, true, &reset), 1);
	ck_assert_int_eq(shm_rate("none", 0, 60, true, &reset), 1);
	/* A window set shorter than what is left of the old one begins anew. */
	ck_assert_int_eq(shm_rate("a", 3, 10, true, &reset), 1);
	ck_assert_int_eq(reset, 10);
	/* A lowered limit holds at once. */
	ck_assert_int_eq(shm_rate("a", 3, 10, true, &reset), 2);
	ck_assert_int_eq(shm_rate("a", 1, 10, true, &reset), 2);
	end();
}
END_TEST

START_TEST(windows_survive_the_wrap_of_their_clock)
{
	int64_t reset;

	begin();
	shm_clock = fake_clock;
	fake_ms = (1LL << 34) - 30000;
	for (int i = 1; i <= 5; i++)
		ck_assert_int_eq(shm_rate("a", 5, 60, true, &reset), i);
	fake_ms += 40000;
	ck_assert_int_eq(shm_rate("a", 5, 60, true, &reset), 6);
	ck_assert_int_eq(reset, 20);
	fake_ms += 20000;
	ck_assert_int_eq(shm_rate("a", 5, 60, true, &reset), 1);
	/* A machine that was started anew begins at 0; what is left behind must not limit for long. */
	fake_ms = 5;
	ck_assert_int_eq(shm_rate("a", 5, 60, true, &reset), 1);
	end();
}
END_TEST

static char key[64];

/* How many of 5,000 hits on key pass a limit of 1,000. */
static long
hit_5000(int i)
{
	int64_t reset;
	long passed = 0;

	(void)i;
	for (int k = 0; k < 5000; k++)
		passed += shm_rate(key, 1000, 60, true, &reset) <= 1000;
	return passed;
}

static long
hit_20(int i)
{
	int64_t reset;
	long passed = 0;

	(void)i;
	for (int k = 0; k < 20; k++)
		passed += shm_rate(key, 50, 60, true, &reset) <= 50;
	return passed;
}

START_TEST(exactly_the_limit_passes)
{
	begin();
	shm_open_state();
	(void)snprintf(key, sizeof key, "token:a data");
	ck_assert_int_eq(in_processes(8, hit_5000), 1000);
	/* The first hits on a key are the hard part, so there are many keys. */
	for (int round = 0; round < 300; round++) {
		(void)snprintf(key, sizeof key, "round %d", round);
		ck_assert_int_eq(in_processes(8, hit_20), 50);
	}
	end();
}
END_TEST

static uint64_t
bucket_of(const char *k)
{
	return shm_hash(k, strlen(k)) & (SHM_RATE_SLOTS / SHM_BUCKET - 1);
}

/* The i-th key whose counters live in bucket 0. */
static const char *
key_in_bucket(int i)
{
	static char k[32];
	static int next, found;

	if (i < found)
		next = found = 0;
	for (; found <= i; next++) {
		(void)snprintf(k, sizeof k, "k%d", next);
		found += bucket_of(k) == 0;
	}
	return k;
}

/* Keys of one bucket in turn, so that they push each other out while others insert. */
static long
hit_crowded(int i)
{
	int64_t reset;
	long passed = 0;

	for (int k = 0; k < 2000; k++) {
		passed += shm_rate(key, 500, 60, true, &reset) <= 500;
		(void)shm_rate(key_in_bucket((i * 7 + k) % 12), 5, 1, true, &reset);
	}
	return passed;
}

START_TEST(crowded_keys_keep_their_counts)
{
	begin();
	shm_open_state();
	(void)snprintf(key, sizeof key, "%s", key_in_bucket(12));
	ck_assert_int_eq(in_processes(4, hit_crowded), 500);
	end();
}
END_TEST

START_TEST(a_full_bucket_keeps_who_is_limited)
{
	int64_t reset;
	char limited[32];

	begin();
	shm_clock = fake_clock;
	(void)snprintf(limited, sizeof limited, "%s", key_in_bucket(0));
	for (int i = 1; i <= 100; i++)
		ck_assert_int_eq(shm_rate(limited, 100, 60, true, &reset), i);
	for (int i = 1; i < 200; i++)
		ck_assert_int_eq(shm_rate(key_in_bucket(i), 100, 60, true, &reset), 1);
	ck_assert_int_eq(shm_rate(limited, 100, 60, true, &reset), 101);
	/* Ended windows go first: after these, nobody who is live is pushed out. */
	fake_ms += 60000;
	for (int i = 200; i < 215; i++)
		ck_assert_int_eq(shm_rate(key_in_bucket(i), 100, 60, true, &reset), 1);
	for (int i = 200; i < 215; i++)
		ck_assert_int_eq(shm_rate(key_in_bucket(i), 100, 60, true, &reset), 2);
	end();
}
END_TEST

/* Hit a key of many processes and one of its own, telling each pass of the first, until killed. */
static void
hit_until_killed(int report, int i)
{
	int64_t reset;
	char own[32], c = 'x';

	for (unsigned n = 0;; n++) {
		if (shm_rate(key, 100000, 3600, true, &reset) <= 100000 && write(report, &c, 1) != 1)
			_exit(1);
		(void)snprintf(own, sizeof own, "own %d %u", i, n);
		(void)shm_rate(own, 10, 60, true, &reset);
		(void)shm_rate(key_in_bucket((int)(n % 40)), 10, 60, true, &reset);
	}
}

/* Claims that killed processes left behind in every slot of bucket 0, with the tag of k. */
static void
abandon_claims(const char *k)
{
	uint64_t tag = shm_hash(k, strlen(k)) >> 54;

	for (unsigned i = 0; i < SHM_BUCKET; i++)
		atomic_store(&shm_map()->rate[i].state, tag << 54 | ((uint64_t)(shm_clock() + 2000) & ((1ULL << 34) - 1)) << 20);
}

START_TEST(killed_processes_leave_a_usable_table)
{
	static char sink[65536];
	int64_t reset, counted;
	long passed = 0, kills = 0;
	int report[2];
	ssize_t n;

	begin();
	shm_open_state();
	(void)snprintf(key, sizeof key, "hot");
	ck_assert_int_eq(pipe(report), 0);
	ck_assert_int_eq(fcntl(report[0], F_SETFL, O_NONBLOCK), 0);
	for (int round = 0; round < 150; round++) {
		pid_t pids[3];

		for (int i = 0; i < 3; i++)
			if ((pids[i] = fork()) == 0)
				hit_until_killed(report[1], round * 3 + i);
		(void)usleep((useconds_t)(500 + round * 37 % 3000));
		for (int i = 0; i < 3; i++, kills++) {
			ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
			ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
		}
		while ((n = read(report[0], sink, sizeof sink)) > 0)
			passed += n;
	}
	/* A pass that was counted may have died before it was told, never the other way round. */
	counted = shm_rate(key, 100000, 3600, false, &reset);
	ck_assert_int_gt(passed, 0);
	ck_assert_int_ge(counted, passed);
	ck_assert_int_le(counted, passed + kills);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof key, "after %d", i);
		ck_assert_int_eq(in_processes(4, hit_20), 50);
	}
	(void)snprintf(key, sizeof key, "%s", key_in_bucket(3));
	abandon_claims(key);
	ck_assert_int_eq(in_processes(8, hit_20), 50);
	end();
}
END_TEST

static void
fail_times(int n)
{
	while (n-- > 0)
		breaker_failed(BREAKER_POSTGRESQL);
}

START_TEST(a_breaker_opens_probes_and_closes)
{
	static const int64_t open_ms[] = { 1000, 2000, 4000, 5000, 5000 };

	begin();
	shm_clock = fake_clock;
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "closed");
	fail_times(4);
	ck_assert(breaker_allows(BREAKER_POSTGRESQL));
	fail_times(1);
	for (size_t i = 0; i < sizeof open_ms / sizeof *open_ms; i++) {
		ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "open");
		ck_assert(!breaker_allows(BREAKER_POSTGRESQL));
		fake_ms += open_ms[i] - 1;
		ck_assert(!breaker_allows(BREAKER_POSTGRESQL));
		fake_ms += 1;
		ck_assert(breaker_allows(BREAKER_POSTGRESQL));
		ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "half-open");
		ck_assert(!breaker_allows(BREAKER_POSTGRESQL));
		fail_times(1);
	}
	/* The others do not care. */
	ck_assert(breaker_allows(BREAKER_REDIS) && breaker_allows(BREAKER_HTTP));
	fake_ms += 5000;
	ck_assert(breaker_allows(BREAKER_POSTGRESQL));
	breaker_ok(BREAKER_POSTGRESQL);
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "closed");
	/* It starts again with five failures and one second. */
	fail_times(4);
	ck_assert(breaker_allows(BREAKER_POSTGRESQL));
	fail_times(1);
	fake_ms += 1000;
	ck_assert(breaker_allows(BREAKER_POSTGRESQL));
	breaker_ok(BREAKER_POSTGRESQL);
	/* One failure is enough of a dependency that is known to be down. */
	breaker_open(BREAKER_POSTGRESQL);
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "open");
	fake_ms += 1000;
	ck_assert(breaker_allows(BREAKER_POSTGRESQL));
	end();
}
END_TEST

START_TEST(a_breaker_forgives)
{
	begin();
	shm_clock = fake_clock;
	/* Failures that are too far apart. */
	for (int i = 0; i < 20; i++) {
		fail_times(1);
		fake_ms += 3000;
	}
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "closed");
	/* A success between them. */
	for (int i = 0; i < 20; i++) {
		fail_times(4);
		breaker_ok(BREAKER_POSTGRESQL);
	}
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "closed");
	/* Late failures of calls that began before it opened change nothing. */
	fail_times(5);
	fail_times(20);
	fake_ms += 1000;
	ck_assert(breaker_allows(BREAKER_POSTGRESQL));
	/* A probe whose process was killed is replaced after a while. */
	fake_ms += 4999;
	ck_assert(!breaker_allows(BREAKER_POSTGRESQL));
	fake_ms += 1;
	ck_assert(breaker_allows(BREAKER_POSTGRESQL));
	ck_assert(!breaker_allows(BREAKER_POSTGRESQL));
	end();
}
END_TEST

static long
try_probe(int i)
{
	(void)i;
	return breaker_allows(BREAKER_POSTGRESQL);
}

START_TEST(one_process_probes)
{
	begin();
	shm_clock = fake_clock;
	shm_open_state();
	fail_times(5);
	for (int round = 0; round < 100; round++) {
		fake_ms += 5000;
		ck_assert_int_eq(in_processes(8, try_probe), 1);
		fail_times(1);
	}
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { processes_that_start_together_share, a_file_of_other_form_is_replaced,
		without_a_folder_a_private_table_serves, a_link_is_not_followed, a_window_counts_and_ends,
		windows_survive_the_wrap_of_their_clock, exactly_the_limit_passes, crowded_keys_keep_their_counts,
		a_full_bucket_keeps_who_is_limited, killed_processes_leave_a_usable_table, a_breaker_opens_probes_and_closes,
		a_breaker_forgives, one_process_probes, NULL };

	return unit_run("shm", tests);
}
