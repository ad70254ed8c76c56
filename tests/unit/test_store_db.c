/* lib/store/db*.c against a real PostgreSQL: round trips, errors, deadlines, lost connections. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */
#include <poll.h>
#include <signal.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "gen/sql.h"
#include "servers.h"
#include "store/db.h"
#include "store/shm.h"

static struct arena arena;
static struct ctx c;
static const struct db_subject staff = { .kind = "staff", .token_id = "tok1", .locale = "fr" };

static const struct sql q_who = { "t_who",
	"SELECT concat_ws('|', current_setting('souk.kind', true), current_setting('souk.customer_id', true), "
	"current_setting('souk.token_id', true), current_setting('souk.locale', true))" };
static const struct sql q_pid = { "t_pid", "SELECT pg_backend_pid()" };
static const struct sql q_echo = { "t_echo", "SELECT $1::text" };
static const struct sql q_length = { "t_length", "SELECT length($1::text)" };
static const struct sql q_sleep = { "t_sleep", "SELECT 'slept' FROM pg_sleep($1::float8)" };
static const struct sql q_zero = { "t_zero", "SELECT 1 / $1::integer" };
static const struct sql q_public = { "t_public", "SELECT souk.fail($1, 'the customer may read this')" };
static const struct sql q_secret = { "t_secret", "SELECT $1::uuid" };
static const struct sql q_set = { "t_set",
	"INSERT INTO souk.kv (key, value) VALUES ($1, '\\x01') RETURNING key" };
static const struct sql q_count = { "t_count", "SELECT count(*) FROM souk.kv WHERE key = $1" };

/* Each test runs in a process of its own (Check forks), so each starts without a connection. */
static void
setup(void)
{
	c = servers_ctx(&arena, 64 << 20);
}

static void
teardown(void)
{
	db_rollback(&c);
	db_close_idle(0);
	arena_release(&arena);
}

static void
deadline_in(int ms)
{
	ctx_clear_error(&c);
	c.deadline_ms = now_ms() + ms;
}

/* db_call with at most one parameter; "(null)" for NULL. */
static const char *
call(enum db_mode mode, const struct sql *q, const char *p)
{
	const char *v[1] = { p }, *out;
	size_t n;

	ctx_clear_error(&c);
	ck_assert_msg(db_call(&c, mode, &staff, q, p ? 1 : 0, v, &out, &n) == E_OK, "%s: %s", q->name, ctx_message(&c));
	if (out != NULL)
		ck_assert_uint_eq(n, strlen(out));
	return out ? out : "(null)";
}

static enum err
refused(enum db_mode mode, const struct sql *q, const char *p)
{
	const char *v[1] = { p }, *out = "untouched";
	size_t n;
	enum err e;

	ctx_clear_error(&c);
	e = db_call(&c, mode, &staff, q, p ? 1 : 0, v, &out, &n);
	ck_assert_int_ne(e, E_OK);
	ck_assert_int_eq(c.err, e);
	ck_assert_ptr_null(out);
	return e;
}

static int64_t
admin(const char *what)
{
	PGconn *pg = PQconnectdb(getenv("ADMIN_URL"));
	PGresult *r = PQexec(pg, what);
	int64_t n = PQntuples(r) > 0 ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;

	ck_assert_msg(PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK, "%s", PQerrorMessage(pg));
	PQclear(r);
	PQfinish(pg);
	return n;
}

START_TEST(subject_lasts_one_call)
{
	PGresult *r;

	ck_assert_str_eq(call(DB_READ, &q_who, NULL), "staff||tok1|fr");
	ck_assert_str_eq(call(DB_WRITE, &q_who, NULL), "staff||tok1|fr");
	ck_assert_int_eq(db_exec(&c, &q_who, 0, NULL, &r), E_OK);
	ck_assert_str_eq(PQgetvalue(r, 0, 0), "|||");
	ck_assert_str_eq(call(DB_READ, &q_echo, "à l'heure"), "à l'heure");
}
END_TEST

START_TEST(web_role_is_taken)
{
	static const struct sql q = { "t_role", "SELECT concat_ws(' ', current_user, current_setting('statement_timeout'))" };

	ck_assert_str_eq(call(DB_READ, &q, NULL), "shop_web 4800ms");
	ck_assert_str_eq(call(DB_WRITE, &q, NULL), "shop_web 4800ms");
}
END_TEST

START_TEST(reading_cannot_write)
{
	const char *v[1] = { "read" };
	PGresult *r;

	ck_assert_int_eq(refused(DB_READ, &q_set, "read"), E_INTERNAL);
	ctx_clear_error(&c);
	ck_assert_int_eq(db_exec(&c, &q_set, 1, v, &r), E_INTERNAL);
	ck_assert_str_eq(call(DB_READ, &q_count, "read"), "0");
	ck_assert_str_eq(call(DB_WRITE, &q_set, "read"), "read");
	ck_assert_str_eq(call(DB_READ, &q_count, "read"), "1");
}
END_TEST

/* An error anywhere in a pipeline leaves the connection usable, and it stays the same connection. */
START_TEST(errors_leave_the_connection)
{
	const char *pid = call(DB_READ, &q_pid, NULL);

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(refused(DB_READ, &q_zero, "0"), E_INTERNAL);
		ck_assert_int_eq(refused(DB_WRITE, &q_zero, "0"), E_INTERNAL);
		ck_assert_str_eq(call(DB_WRITE, &q_zero, "1"), "1");
	}
	ck_assert_str_eq(call(DB_WRITE, &q_set, "twice"), "twice");
	ck_assert_int_eq(refused(DB_WRITE, &q_set, "twice"), E_CONFLICT);
	ck_assert_str_eq(call(DB_READ, &q_pid, NULL), pid);
}
END_TEST

START_TEST(only_class_sk_is_told)
{
	ck_assert_int_eq(refused(DB_READ, &q_public, "SK404"), E_NOT_FOUND);
	ck_assert_str_eq(ctx_message(&c), "the customer may read this");
	ck_assert_int_eq(refused(DB_READ, &q_public, "SK409"), E_CONFLICT);
	ck_assert_int_eq(refused(DB_READ, &q_secret, "canary-value"), E_INVALID);
	ck_assert_ptr_null(strstr(ctx_message(&c), "canary"));
	ck_assert_ptr_null(strstr(ctx_message(&c), "uuid"));
}
END_TEST

/* What the log says of an error holds no value of a parameter. */
START_TEST(log_holds_no_values)
{
	char path[96], text[4096];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/state/values.log", servers_dir);
	log_init("test", path, "debug");
	(void)refused(DB_READ, &q_secret, "canary-value");
	(void)refused(DB_READ, &q_public, "SK404");
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "22P02"));
	ck_assert_ptr_nonnull(strstr(text, "t_secret"));
	ck_assert_ptr_null(strstr(text, "canary"));
}
END_TEST

START_TEST(transaction_of_several)
{
	const char *v[1] = { "several" };
	const char *out;
	size_t n;
	PGresult *r;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, &staff), E_OK);
	ck_assert(db_may_write());
	ck_assert_int_eq(db_exec(&c, &q_set, 1, v, &r), E_OK);
	ck_assert_int_eq(db_text(&c, &q_who, 0, NULL, &out, &n), E_OK);
	ck_assert_str_eq(out, "staff||tok1|fr");
	db_rollback(&c);
	ck_assert_str_eq(call(DB_READ, &q_count, "several"), "0");

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_INTERNAL);
	ctx_clear_error(&c);
	ck_assert_int_eq(db_text(&c, &q_who, 0, NULL, &out, &n), E_OK);
	ck_assert_str_eq(out, "system|||");
	ck_assert_str_eq(call(DB_READ, &q_set, "several"), "several");
	ck_assert_int_eq(db_commit(&c), E_OK);
	ck_assert_str_eq(call(DB_READ, &q_count, "several"), "1");

	ck_assert_int_eq(db_begin(&c, DB_READ, NULL), E_OK);
	ck_assert(!db_may_write());
	ck_assert_int_eq(refused(DB_WRITE, &q_set, "other"), E_INTERNAL);
	db_rollback(&c);
	db_rollback(&c);
	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_commit(&c), E_OK);
}
END_TEST

/* COMMIT of a failed transaction rolls back; that must not pass for success. */
START_TEST(overlooked_error_is_no_commit)
{
	ck_assert_int_eq(db_begin(&c, DB_WRITE, &staff), E_OK);
	ck_assert_str_eq(call(DB_WRITE, &q_set, "overlooked"), "overlooked");
	(void)refused(DB_WRITE, &q_zero, "0");
	ctx_clear_error(&c);
	ck_assert_int_eq(db_commit(&c), E_INTERNAL);
	ck_assert_str_eq(call(DB_READ, &q_count, "overlooked"), "0");
}
END_TEST

START_TEST(two_statements_of_one_name)
{
	static const struct sql one = { "t_same", "SELECT 'one'" }, two = { "t_same", "SELECT 'two'" };

	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(call(DB_READ, &one, NULL), "one");
		ck_assert_str_eq(call(DB_READ, &two, NULL), "two");
	}
}
END_TEST

/* A statement that was prepared before a migration changed its table is prepared again without anybody noticing. */
START_TEST(changed_tables_are_noticed_by_nobody)
{
	static const struct sql q = { "t_star", "SELECT * FROM public.changing" };
	const char *v = call(DB_READ, &q_pid, NULL);

	(void)v;
	admin("CREATE TABLE public.changing (a integer)");
	admin("GRANT SELECT ON public.changing TO PUBLIC");
	admin("INSERT INTO public.changing VALUES (7)");
	ck_assert_str_eq(call(DB_READ, &q, NULL), "7");
	admin("ALTER TABLE public.changing ALTER a TYPE text USING 'seven'");
	ck_assert_str_eq(call(DB_READ, &q, NULL), "seven");
}
END_TEST

START_TEST(role_and_session)
{
	static const struct sql q = { "t_session", "SELECT concat_ws(' ', current_user, session_user, "
		"current_setting('default_transaction_read_only'), current_setting('statement_timeout'), "
		"current_setting('lock_timeout'), current_setting('timezone'), current_setting('application_name'))" };

	ck_assert_str_eq(call(DB_READ, &q, NULL), "shop_web shop on 4800ms 1s UTC souk");
	db_close_idle(0);
	db_use_owner();
	ck_assert_str_eq(call(DB_READ, &q, NULL), "shop shop on 0 0 UTC souk");
}
END_TEST

START_TEST(notifications_are_counted)
{
	unsigned settings, tokens;

	(void)call(DB_READ, &q_pid, NULL);
	settings = db_generation_settings();
	tokens = db_generation_tokens();
	admin("INSERT INTO souk.settings (key, value) VALUES ('a', '1')");
	for (int i = 0; i < 2000 && db_generation_settings() == settings; i++) {
		usleep(10000);
		db_poll_notifications();
	}
	ck_assert_uint_eq(db_generation_settings(), settings + 1);
	ck_assert_uint_eq(db_generation_tokens(), tokens);
	db_close_idle(0);
	(void)call(DB_READ, &q_pid, NULL);
	ck_assert_uint_ne(db_generation_tokens(), tokens);
}
END_TEST

/* End all connections of the shop from outside, among them that of pid, and see it gone. */
static void
cut_connections(const char *pid)
{
	pid_t process = (pid_t)strtol(pid, NULL, 10);

	admin("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'shop'");
	for (int i = 0; i < 2000 && (servers_own ? kill(process, 0) == 0 : i < 20); i++)
		usleep(10000);
}

START_TEST(dead_connection_is_reopened)
{
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "%s", call(DB_READ, &q_pid, NULL));
	cut_connections(pid);
	ck_assert_str_ne(call(DB_READ, &q_pid, NULL), pid);
	if (servers_own) {
		ck_assert_int_eq(servers_do("restart"), 0);
		ck_assert_str_eq(call(DB_WRITE, &q_echo, "again"), "again");
	}
	/* inside a transaction its first half is gone: no second connection may go on with the rest */
	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_str_eq(call(DB_WRITE, &q_set, "half"), "half");
	(void)snprintf(pid, sizeof(pid), "%s", call(DB_READ, &q_pid, NULL));
	cut_connections(pid);
	ck_assert_int_eq(refused(DB_WRITE, &q_set, "other half"), E_UNAVAILABLE);
	ck_assert_int_eq(refused(DB_WRITE, &q_set, "other half"), E_UNAVAILABLE);
	ctx_clear_error(&c);
	ck_assert_int_eq(db_commit(&c), E_UNAVAILABLE);
	ck_assert_str_eq(call(DB_READ, &q_count, "half"), "0");
	ck_assert_str_eq(call(DB_READ, &q_count, "other half"), "0");
}
END_TEST

START_TEST(deadline_ends_a_slow_statement)
{
	char pid[32];
	int64_t t;

	(void)call(DB_READ, &q_pid, NULL);
	deadline_in(300);
	t = now_ms();
	ck_assert_int_eq(refused(DB_READ, &q_sleep, "60"), E_UNAVAILABLE);
	ck_assert_int_ge(now_ms() - t, 295);
	ck_assert_int_le(now_ms() - t, 30000);
	ck_assert_int_gt(c.retry_after_s, 0);
	/* no time left: nothing is sent and nothing dropped */
	deadline_in(60000);
	(void)snprintf(pid, sizeof(pid), "%s", call(DB_READ, &q_pid, NULL));
	deadline_in(0);
	ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);
	deadline_in(60000);
	ck_assert_str_eq(call(DB_READ, &q_pid, NULL), pid);
}
END_TEST

/* Does the server stop working for that process?  Asked of a second connection. */
static bool
comes_to_rest(const char *pid)
{
	PGconn *other = PQconnectdb(cfg_str("DATABASE_URL"));
	int64_t end = now_ms() + 30000;
	bool active = true;

	ck_assert_int_eq(PQstatus(other), CONNECTION_OK);
	while (active && now_ms() < end) {
		PGresult *r = PQexecParams(other, "SELECT 1 FROM pg_stat_activity WHERE pid = $1::integer AND state = 'active'", 1, NULL, &pid, NULL,
			NULL, 0);

		active = PQntuples(r) != 0;
		PQclear(r);
		(void)poll(NULL, 0, 10);
	}
	PQfinish(other);
	return !active;
}

static int looks;

static bool
given_up_after_two_looks(void *arg)
{
	ck_assert_ptr_eq(arg, &looks);
	return ++looks > 2;
}

/* Whoever gives a request up ends its statement, too, and is no failure of the database. */
START_TEST(a_statement_that_is_given_up_ends)
{
	for (int i = 0; i < 8; i++) {
		const char *pid = call(DB_READ, &q_pid, NULL);
		int64_t t = now_ms();

		looks = 0;
		c.given_up = given_up_after_two_looks;
		c.given_up_arg = &looks;
		ck_assert_int_eq(refused(i % 2 ? DB_READ : DB_WRITE, &q_sleep, "60"), E_CANCELLED);
		c.given_up = NULL;
		ck_assert_int_le(now_ms() - t, 30000);
		ck_assert(comes_to_rest(pid));
	}
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "closed");
	ck_assert_ptr_nonnull(call(DB_READ, &q_pid, NULL));
}
END_TEST

START_TEST(a_transaction_that_is_given_up_is_rolled_back)
{
	const char *key = "given-up", *v[1] = { key }, *out;
	size_t n;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_text(&c, &q_set, 1, v, &out, &n), E_OK);
	looks = 0;
	c.given_up = given_up_after_two_looks;
	c.given_up_arg = &looks;
	v[0] = "60";
	ck_assert_int_eq(db_text(&c, &q_sleep, 1, v, &out, &n), E_CANCELLED);
	c.given_up = NULL;
	ck_assert_int_eq(db_commit(&c), E_UNAVAILABLE);
	db_rollback(&c);
	ctx_clear_error(&c);
	ck_assert_str_eq(call(DB_READ, &q_count, key), "0");
}
END_TEST

/* The server's own limit counts from the statement's beginning, ours from the request's. */
START_TEST(a_statement_behind_its_deadline_ends)
{
	const char *pid = call(DB_READ, &q_pid, NULL);

	deadline_in(200);
	ck_assert_int_eq(refused(DB_READ, &q_sleep, "60"), E_UNAVAILABLE);
	ck_assert(comes_to_rest(pid));
}
END_TEST

/* A server that is stopped with SIGSTOP cannot run its own time-outs: ours have to hold, in every phase. */
START_TEST(deadline_holds_for_a_frozen_server)
{
	static char big[8 << 20];
	const char *v[1] = { big }, *out;
	size_t n;
	int64_t t;

	memset(big, 'x', sizeof(big) - 1);
	ck_assert_str_eq(call(DB_READ, &q_length, big), "8388607");
	ck_assert_int_eq(servers_do("freeze"), 0);
	deadline_in(400);
	t = now_ms();
	ck_assert_int_eq(db_call(&c, DB_WRITE, &staff, &q_length, 1, v, &out, &n), E_UNAVAILABLE);	/* sending */
	ck_assert_int_le(now_ms() - t, 20000);
	deadline_in(300);
	t = now_ms();
	ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);	/* connecting */
	ck_assert_int_le(now_ms() - t, 20000);
	deadline_in(60000);
	t = now_ms();
	ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);	/* connecting, capped */
	ck_assert_int_le(now_ms() - t, 20000);
	ctx_clear_error(&c);
	ck_assert_int_eq(db_ping_us(&c), -1);
	ck_assert_int_eq(c.err, E_OK);
	ck_assert_int_eq(servers_do("thaw"), 0);
	(void)call(DB_READ, &q_pid, NULL);
	ck_assert_int_ge(db_ping_us(&c), 1);
	ck_assert_int_eq(servers_do("freeze"), 0);
	deadline_in(400);
	t = now_ms();
	ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);	/* waiting */
	ck_assert_int_le(now_ms() - t, 20000);
	ck_assert_int_eq(servers_do("thaw"), 0);
	deadline_in(30000);
	ck_assert_str_eq(call(DB_READ, &q_echo, "thawed"), "thawed");
}
END_TEST

/* A statement may take its time, but nobody waits to his deadline for a server that is stopped. */
START_TEST(a_stopped_server_is_told_from_a_slow_one)
{
	int64_t t;

	deadline_in(60000);
	ck_assert_str_eq(call(DB_READ, &q_sleep, "1.3"), "slept");
	ck_assert_int_eq(servers_do("freeze"), 0);
	t = now_ms();
	ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);
	ck_assert_int_le(now_ms() - t, 40000);
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "open");
	ck_assert_int_eq(servers_do("thaw"), 0);
	usleep(1100000);	/* it stays open for a second */
	deadline_in(60000);
	ck_assert_str_eq(call(DB_READ, &q_echo, "thawed"), "thawed");
}
END_TEST

/* After some failures everybody is told at once, until a probe succeeds. */
START_TEST(breaker_answers_at_once)
{
	const char *v[1] = { "probe" }, *out;
	int64_t t;
	size_t n;
	int tries;

	(void)call(DB_READ, &q_pid, NULL);
	ck_assert_int_eq(servers_do("freeze"), 0);
	for (int i = 0; i < 5; i++) {
		deadline_in(100);
		ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);
	}
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "open");
	/* a probe waits for its connection; after a pause of this process the first call may be one, but not all */
	for (tries = 0, t = 0; tries < 5; tries++) {
		deadline_in(2000);
		t = now_ms();
		ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);
		if (now_ms() - t < 1000)
			break;
	}
	ck_assert_int_lt(tries, 5);
	ck_assert_int_eq(servers_do("thaw"), 0);
	deadline_in(60000);
	while (db_call(&c, DB_READ, &staff, &q_echo, 1, v, &out, &n) != E_OK && now_ms() < c.deadline_ms) {
		ctx_clear_error(&c);
		usleep(100000);
	}
	ck_assert_str_eq(call(DB_READ, &q_echo, "probe"), "probe");
	ck_assert_str_eq(breaker_state(BREAKER_POSTGRESQL), "closed");
}
END_TEST

START_TEST(forked_child_has_its_own)
{
	char pid[32];
	int status;
	pid_t child;

	(void)snprintf(pid, sizeof(pid), "%s", call(DB_READ, &q_pid, NULL));
	child = fork();
	if (child == 0) {
		db_forget();
		_exit(strcmp(call(DB_READ, &q_pid, NULL), pid) != 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(call(DB_READ, &q_pid, NULL), pid);
}
END_TEST

/* A server that is not there at all, and one that refuses the user. */
START_TEST(unreachable)
{
	ck_assert_int_eq(refused(DB_READ, &q_pid, NULL), E_UNAVAILABLE);
	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_UNAVAILABLE);
	ck_assert_int_eq(db_ping_us(&c), -1);
	db_rollback(&c);
}
END_TEST

static void
setup_unreachable(void)
{
	(void)setenv("DATABASE_URL", "postgresql://shop@/shop?host=/nonexistent", 1);
	setup();
}

static void
setup_unprepared(void)
{
	(void)setenv("DB_PREPARED", "off", 1);
	admin("DELETE FROM souk.kv");
	setup();
}

static Suite *
suite(void)
{
	Suite *s = suite_create("store_db");
	TCase *both[2] = { tcase_create("prepared"), tcase_create("unprepared") };
	TCase *faults = tcase_create("faults"), *nowhere = tcase_create("nowhere");

	tcase_add_checked_fixture(both[0], setup, teardown);
	tcase_add_checked_fixture(both[1], setup_unprepared, teardown);
	for (int i = 0; i < 2; i++) {
		tcase_add_test(both[i], subject_lasts_one_call);
		tcase_add_test(both[i], web_role_is_taken);
		tcase_add_test(both[i], reading_cannot_write);
		tcase_add_test(both[i], errors_leave_the_connection);
		tcase_add_test(both[i], only_class_sk_is_told);
		tcase_add_test(both[i], log_holds_no_values);
		tcase_add_test(both[i], transaction_of_several);
		tcase_add_test(both[i], overlooked_error_is_no_commit);
		tcase_add_test(both[i], two_statements_of_one_name);
		tcase_add_test(both[i], dead_connection_is_reopened);
		tcase_add_test(both[i], forked_child_has_its_own);
		suite_add_tcase(s, both[i]);
	}
	tcase_add_checked_fixture(faults, setup, teardown);
	tcase_set_timeout(faults, 100);
	tcase_add_test(faults, changed_tables_are_noticed_by_nobody);
	tcase_add_test(faults, role_and_session);
	tcase_add_test(faults, notifications_are_counted);
	tcase_add_test(faults, deadline_ends_a_slow_statement);
	tcase_add_test(faults, a_statement_that_is_given_up_ends);
	tcase_add_test(faults, a_transaction_that_is_given_up_is_rolled_back);
	tcase_add_test(faults, a_statement_behind_its_deadline_ends);
	if (servers_own) {
		tcase_add_test(faults, deadline_holds_for_a_frozen_server);
		tcase_add_test(faults, a_stopped_server_is_told_from_a_slow_one);
		tcase_add_test(faults, breaker_answers_at_once);
	}
	suite_add_tcase(s, faults);
	tcase_add_checked_fixture(nowhere, setup_unreachable, teardown);
	tcase_add_test(nowhere, unreachable);
	suite_add_tcase(s, nowhere);
	return s;
}

int
main(void)
{
	return servers_run(suite);
}
